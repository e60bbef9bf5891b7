{
    "name": "Queue worker",
    "summary": "Runs the jobs of the connector in processes of their own",
    "version": "9.0.1.0.0",
    "license": "LGPL-3",
    "author": "The connector contributors",
    "depends": ["connector"],
    "imports": [],
    "installable": True,
}
