// Every adapter's options with its drivers' own types. Compiled, not run.

import { MikroORM as MikroOrmMariaDb } from '@mikro-orm/mariadb';
import { MikroORM as MikroOrmMySql } from '@mikro-orm/mysql';
import { MikroORM as MikroOrmPostgres } from '@mikro-orm/postgresql';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { PrismaPg } from '@prisma/adapter-pg';
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { drizzle as drizzleJs } from 'drizzle-orm/postgres-js';
import knex from 'knex';
import { Kysely, MysqlDialect, PostgresDialect } from 'kysely';
import mariadb from 'mariadb';
import mysqlCallbacks from 'mysql2';
import mysql from 'mysql2/promise';
import pg from 'pg';
import pgPromise from 'pg-promise';
import postgres from 'postgres';
import { Signer } from 'rdstoken';
import { mariadbOptions } from 'rdstoken/mariadb';
import { mysql2Options } from 'rdstoken/mysql2';
import { pgOptions } from 'rdstoken/pg';
import { postgresOptions } from 'rdstoken/postgres';
import { sequelizeOptions } from 'rdstoken/sequelize';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';

const signer = new Signer({ hostname: 'h', port: 5432, username: 'u' });
const common = { database: 'd', caFile: 'global-bundle.pem', hostaddr: null };

const pool = new pg.Pool(pgOptions(signer, { ...common, max: 3, ssl: { minVersion: 'TLSv1.3' } }));
new pg.Client(pgOptions(signer));
pgPromise()(pgOptions(signer, common));
postgres(postgresOptions(signer, { ...common, max: 3 }));
postgres('postgres://h/d', postgresOptions(signer));
knex({ client: 'pg', connection: pgOptions(signer, common) });
new Sequelize(sequelizeOptions(signer, { ...common, dialect: 'postgres', logging: false }));
new Sequelize('postgres://u@h/d', sequelizeOptions(signer, { dialect: 'postgres' }));
new DataSource({ type: 'postgres', database: 'd', extra: pgOptions(signer) });
drizzlePg({ connection: pgOptions(signer, common) });
drizzlePg(pool);
drizzleJs(postgres(postgresOptions(signer)));
new Kysely({ dialect: new PostgresDialect({ pool }) });
new PrismaPg(pgOptions(signer, common));
MikroOrmPostgres.init({
  dbName: 'd',
  driverOptions: { connection: { ssl: pgOptions(signer).ssl } },
});

const callbacks = mysqlCallbacks.createPool(mysql2Options(signer, common));
mysql.createPool(mysql2Options(signer, { ...common, connectionLimit: 3 }));
mysql.createConnection(mysql2Options(signer));
mysql.createPool(signer.mysql2({ ...common, connectionLimit: 3 }));
mysql.createConnection(signer.mysql2());
knex({ client: 'mysql2', connection: mysql2Options(signer, common) });
new Sequelize(sequelizeOptions(signer, { ...common, dialect: 'mysql' }));
new Sequelize(sequelizeOptions(signer, { ...common, dialect: 'mariadb' }));
new DataSource({ type: 'mysql', database: 'd', extra: mysql2Options(signer) });
drizzleMysql(mysql.createPool(mysql2Options(signer)));
new Kysely({ dialect: new MysqlDialect({ pool: callbacks }) });
MikroOrmMySql.init({ dbName: 'd', driverOptions: { connection: mysql2Options(signer) } });

mariadb.createPool(mariadbOptions(signer, { ...common, connectionLimit: 3 }));
mariadb.createConnection(mariadbOptions(signer));
new PrismaMariaDb(mariadbOptions(signer, common));
MikroOrmMariaDb.init({ dbName: 'd', driverOptions: { connection: mariadbOptions(signer) } });

// The driver's options keep their types, and the adapter's are not handed on.
const max: number = pgOptions(signer, { max: 3 }).max;

// @ts-expect-error: caFile is the adapter's
const { caFile } = pgOptions(signer, { caFile: 'f' });
// @ts-expect-error: a file's name is a string
mysql2Options(signer, { caFile: 1 });
// @ts-expect-error: the signer comes first
mariadbOptions({ caFile: 'f' });
// @ts-expect-error: the dialect is missing
sequelizeOptions(signer, {});
// @ts-expect-error: no such dialect
sequelizeOptions(signer, { dialect: 'sqlite' });

export { caFile, max };
