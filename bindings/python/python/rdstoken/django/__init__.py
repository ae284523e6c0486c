"""Django with IAM tokens: database backends for PostgreSQL and MySQL.

    DATABASES = {
        "default": {
            "ENGINE": "rdstoken.django.postgresql",  # or "rdstoken.django.mysql"
            "HOST": "mydb.cluster-abc123.us-east-1.rds.amazonaws.com",
            "PORT": 5432,
            "USER": "app",
            "NAME": "postgres",
            "OPTIONS": {
                "rdstoken": {"ca_file": "/etc/ssl/global-bundle.pem"},
                "pool": True,  # PostgreSQL, Django 5.1 and newer
            },
        },
    }

Each connection logs in with a token of its own, those that Django's pool opens as well: Django by
itself asks for the password once, and its pool goes on using that when it is dead. `PASSWORD` must
be absent. A port that is absent is 5432 or 3306.

`OPTIONS["rdstoken"]` is a dictionary of

- `ca_file`: the authorities that may have signed the server's certificate;
- `signer`: a `rdstoken.Signer` of your own, by its dotted path (`"mysite.database.signer"`); or
- any of the keywords of `rdstoken.Signer`, such as `region`, `profile`, `role_arn`, `credentials`
  or `timeout`. All threads and aliases with the same settings share one signer.

All other options are the driver's, as with Django's own backends. Which of them are refused, and
how TLS is used, is said in `rdstoken.psycopg`, `rdstoken.psycopg2` and `rdstoken.mysqlclient`: the
certificate and the name in it are always checked, unless PostgreSQL's `sslmode` is `require` or
`verify-ca`. `mysqlclient` may be replaced by PyMySQL (`pymysql.install_as_MySQLdb()`).

A login that the server refuses with a token from the cache is tried once more with a fresh one.

`manage.py dbshell` logs `psql` in with a token. For MySQL use `rdstoken exec`, because the two
commands named `mysql` do not agree on how to insist on TLS.

Django 4.2 or newer.
"""
