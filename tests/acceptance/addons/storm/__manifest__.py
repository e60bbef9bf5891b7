{
    "name": "Storm",
    "summary": "Partners that all need the same few categories",
    "depends": ["connector", "queue_worker"],
}
