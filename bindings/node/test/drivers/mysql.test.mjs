// Every driver and library for MySQL and MariaDB logs in through its pool, before and after its first
// token has expired, with tokens of 1.5 and 8 KB.

import { MikroORM as MikroOrmMariaDb } from '@mikro-orm/mariadb';
import { MikroORM as MikroOrmMySql } from '@mikro-orm/mysql';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/mysql2';
import knex from 'knex';
import { Kysely, sql as kyselySql, MysqlDialect } from 'kysely';
import mariadb from 'mariadb';
import mysqlCallbacks from 'mysql2';
import mysql from 'mysql2/promise';
import { mariadbOptions } from 'rdstoken/mariadb';
import { mysql2Options } from 'rdstoken/mysql2';
import { sequelizeOptions } from 'rdstoken/sequelize';
import { QueryTypes, Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { course, SLOW } from './helpers.mjs';

const QUERY = SLOW.mariadb;

function options(server) {
  return { database: server.dbname, caFile: server.ca_file };
}

function sequelize(dialect) {
  return (signer, server) => {
    const db = new Sequelize(
      sequelizeOptions(signer, { dialect, logging: false, ...options(server) }),
    );
    const id = async () => (await db.query(QUERY, { type: QueryTypes.SELECT }))[0].id;
    return { id, close: () => db.close() };
  };
}

function mikroOrm(MikroORM, make) {
  return async (signer, server) => {
    const orm = await MikroORM.init({
      dbName: server.dbname,
      driverOptions: { connection: make(signer, options(server)) },
      entities: [],
      discovery: { warnWhenNoEntities: false },
    });
    const id = async () => (await orm.em.getConnection().execute(QUERY))[0].id;
    return { id, close: () => orm.close() };
  };
}

const DRIVERS = {
  mysql2(signer, server) {
    const pool = mysql.createPool(mysql2Options(signer, options(server)));
    return { id: async () => (await pool.query(QUERY))[0][0].id, close: () => pool.end() };
  },

  mariadb(signer, server) {
    const pool = mariadb.createPool(
      mariadbOptions(signer, { ...options(server), connectionLimit: 3, minimumIdle: 1 }),
    );
    return { id: async () => (await pool.query(QUERY))[0].id, close: () => pool.end() };
  },

  knex(signer, server) {
    const db = knex({ client: 'mysql2', connection: mysql2Options(signer, options(server)) });
    return { id: async () => (await db.raw(QUERY))[0][0].id, close: () => db.destroy() };
  },

  'Sequelize on mysql2': sequelize('mysql'),
  'Sequelize on mariadb': sequelize('mariadb'),

  async TypeORM(signer, server) {
    const db = new DataSource({
      type: 'mysql',
      database: server.dbname,
      extra: mysql2Options(signer, options(server)),
    });
    await db.initialize();
    return { id: async () => (await db.query(QUERY))[0].id, close: () => db.destroy() };
  },

  Drizzle(signer, server) {
    const pool = mysql.createPool(signer.mysql2(options(server)));
    const db = drizzle(pool);
    const id = async () => (await db.execute(drizzleSql.raw(QUERY)))[0][0].id;
    return { id, close: () => pool.end() };
  },

  Kysely(signer, server) {
    const pool = mysqlCallbacks.createPool(mysql2Options(signer, options(server)));
    const db = new Kysely({ dialect: new MysqlDialect({ pool }) });
    const id = async () => (await kyselySql.raw(QUERY).execute(db)).rows[0].id;
    return { id, close: () => db.destroy() };
  },

  async PrismaMariaDb(signer, server) {
    const config = mariadbOptions(signer, {
      ...options(server),
      connectionLimit: 3,
      minimumIdle: 1,
    });
    const adapter = await new PrismaMariaDb(config).connect();
    const id = async () =>
      (await adapter.queryRaw({ sql: QUERY, args: [], argTypes: [] })).rows[0][0];
    return { id, close: () => adapter.dispose() };
  },

  'MikroORM on mysql2': mikroOrm(MikroOrmMySql, mysql2Options),
  'MikroORM on mariadb': mikroOrm(MikroOrmMariaDb, mariadbOptions),
};

course('mariadb', DRIVERS);
