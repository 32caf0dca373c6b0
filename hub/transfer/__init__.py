"""Records in from files: reading, mapping, and an import that survives being killed.

From the bottom up: `lines`, `delimited`, `jsonlines`, `parquet` read rows in bounded memory;
`mapping`, `cells`, `values`, `sections`, `batch` turn rows into records; `chunks` cuts a file
into parts; `runs`, `worker`, `importing` record the parts; `rejects` and `preview` are for people.
"""
