"""What the shop sells: tracks on albums of artists."""

from connector.core import fields, models


class MusicGenre(models.Model):
    _name = "music.genre"
    _description = "Genre"

    name = fields.Char(required=True)


class ShopGenre(models.Model):
    _name = "shop.genre"
    _inherit = "shop.binding"
    _inherits = {"music.genre": "openerp_id"}
    _description = "Shop genre"

    openerp_id = fields.Many2one("music.genre", required=True, ondelete="cascade", index=True)


class MusicMediaType(models.Model):
    _name = "music.media.type"
    _description = "Media type"

    name = fields.Char(required=True)


class ShopMediaType(models.Model):
    _name = "shop.media.type"
    _inherit = "shop.binding"
    _inherits = {"music.media.type": "openerp_id"}
    _description = "Shop media type"

    openerp_id = fields.Many2one("music.media.type", required=True, ondelete="cascade", index=True)


class MusicArtist(models.Model):
    _name = "music.artist"
    _description = "Artist"

    name = fields.Char(required=True)


class ShopArtist(models.Model):
    _name = "shop.artist"
    _inherit = "shop.binding"
    _inherits = {"music.artist": "openerp_id"}
    _description = "Shop artist"

    openerp_id = fields.Many2one("music.artist", required=True, ondelete="cascade", index=True)


class MusicAlbum(models.Model):
    _name = "music.album"
    _description = "Album"

    name = fields.Char(required=True)
    artist_id = fields.Many2one("music.artist", required=True, ondelete="restrict", index=True)


class ShopAlbum(models.Model):
    _name = "shop.album"
    _inherit = "shop.binding"
    _inherits = {"music.album": "openerp_id"}
    _description = "Shop album"

    openerp_id = fields.Many2one("music.album", required=True, ondelete="cascade", index=True)


class MusicTrack(models.Model):
    _name = "music.track"
    _description = "Track"

    name = fields.Char(required=True)
    composer = fields.Char()
    album_id = fields.Many2one("music.album", required=True, ondelete="restrict", index=True)
    genre_id = fields.Many2one("music.genre", ondelete="restrict")
    media_type_id = fields.Many2one("music.media.type", required=True, ondelete="restrict")
    milliseconds = fields.Integer()
    bytes = fields.Integer()
    list_price = fields.Float(digits=(10, 2))


class ShopTrack(models.Model):
    _name = "shop.track"
    _inherit = "shop.binding"
    _inherits = {"music.track": "openerp_id"}
    _description = "Shop track"

    openerp_id = fields.Many2one("music.track", required=True, ondelete="cascade", index=True)
