// Every driver and library for PostgreSQL logs in through its pool, before and after its first token
// has expired, with tokens of 1.5 and 8 KB.

import { MikroORM } from '@mikro-orm/postgresql';
import { PrismaPg } from '@prisma/adapter-pg';
import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { drizzle as drizzleJs } from 'drizzle-orm/postgres-js';
import knex from 'knex';
import { Kysely, sql as kyselySql, PostgresDialect } from 'kysely';
import pg from 'pg';
import pgPromise from 'pg-promise';
import postgres from 'postgres';
import { pgOptions } from 'rdstoken/pg';
import { postgresOptions } from 'rdstoken/postgres';
import { sequelizeOptions } from 'rdstoken/sequelize';
import { QueryTypes, Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { course, SLOW } from './helpers.mjs';

const QUERY = SLOW.postgres;

function options(server) {
  return { database: server.dbname, caFile: server.ca_file };
}

const DRIVERS = {
  pg(signer, server) {
    const pool = new pg.Pool(pgOptions(signer, options(server)));
    return { id: async () => (await pool.query(QUERY)).rows[0].id, close: () => pool.end() };
  },

  'pg-promise'(signer, server) {
    const db = pgPromise({ noWarnings: true })(pgOptions(signer, options(server)));
    return { id: async () => (await db.one(QUERY)).id, close: () => db.$pool.end() };
  },

  'postgres.js'(signer, server) {
    const sql = postgres(postgresOptions(signer, options(server)));
    return { id: async () => (await sql.unsafe(QUERY))[0].id, close: () => sql.end() };
  },

  'postgres.js with a URL'(signer, server) {
    const url = `postgres://someone:else@${server.host}:1/${server.dbname}?sslmode=disable`;
    const sql = postgres(url, postgresOptions(signer, { caFile: server.ca_file }));
    return { id: async () => (await sql.unsafe(QUERY))[0].id, close: () => sql.end() };
  },

  knex(signer, server) {
    const db = knex({ client: 'pg', connection: pgOptions(signer, options(server)) });
    return { id: async () => (await db.raw(QUERY)).rows[0].id, close: () => db.destroy() };
  },

  Sequelize(signer, server) {
    const db = new Sequelize(
      sequelizeOptions(signer, { dialect: 'postgres', logging: false, ...options(server) }),
    );
    const id = async () => (await db.query(QUERY, { type: QueryTypes.SELECT }))[0].id;
    return { id, close: () => db.close() };
  },

  async TypeORM(signer, server) {
    const db = new DataSource({
      type: 'postgres',
      database: server.dbname,
      extra: pgOptions(signer, { caFile: server.ca_file }),
    });
    await db.initialize();
    return { id: async () => (await db.query(QUERY))[0].id, close: () => db.destroy() };
  },

  'TypeORM with a URL'(signer, server) {
    const url = `postgres://someone@${server.host}:1/${server.dbname}`;
    const extra = pgOptions(signer, options(server));
    const db = new DataSource({ type: 'postgres', url, extra });
    return db.initialize().then(() => ({
      id: async () => (await db.query(QUERY))[0].id,
      close: () => db.destroy(),
    }));
  },

  'Drizzle on pg'(signer, server) {
    const db = drizzle({ connection: pgOptions(signer, options(server)) });
    const id = async () => (await db.execute(drizzleSql.raw(QUERY))).rows[0].id;
    return { id, close: () => db.$client.end() };
  },

  'Drizzle on postgres.js'(signer, server) {
    const db = drizzleJs(postgres(postgresOptions(signer, options(server))));
    const id = async () => (await db.execute(drizzleSql.raw(QUERY)))[0].id;
    return { id, close: () => db.$client.end() };
  },

  Kysely(signer, server) {
    const pool = new pg.Pool(pgOptions(signer, options(server)));
    const db = new Kysely({ dialect: new PostgresDialect({ pool }) });
    const id = async () => (await kyselySql.raw(QUERY).execute(db)).rows[0].id;
    return { id, close: () => db.destroy() };
  },

  async PrismaPg(signer, server) {
    const adapter = await new PrismaPg(pgOptions(signer, options(server))).connect();
    // pg_sleep's void is no type of Prisma's.
    const sql = 'SELECT pg_backend_pid() AS id, pg_sleep(0.8)::text';
    const id = async () => (await adapter.queryRaw({ sql, args: [], argTypes: [] })).rows[0][0];
    return { id, close: () => adapter.dispose() };
  },

  async MikroORM(signer, server) {
    const orm = await MikroORM.init({
      dbName: server.dbname,
      host: signer.hostname,
      port: signer.port,
      user: signer.username,
      password: async () => {
        const { value, expiresAt } = await signer.getAuthTokenInfo();
        return { password: value, expirationChecker: () => Date.now() > expiresAt - 1000 };
      },
      driverOptions: { connection: { ssl: pgOptions(signer, options(server)).ssl } },
      entities: [],
      discovery: { warnWhenNoEntities: false },
    });
    const id = async () => (await orm.em.getConnection().execute(QUERY))[0].id;
    return { id, close: () => orm.close() };
  },
};

course('postgres', DRIVERS);
