import { expect, test } from "vitest";
import { describeServerErrors, failed } from "../../storage-sql/test/server-errors.ts";
import { isConflict, storageErrorOf } from "../src/errors.ts";

/** As node-postgres makes them, in whichever copy. */
function said(code: string, message = "what the server said"): Error {
  return Object.assign(new Error(message), { severity: "ERROR", code });
}

describeServerErrors({
  storageErrorOf,
  said,
  detail: "code",
  meanings: [
    ["28P01", "misconfigured", "Check user, password"],
    ["28000", "misconfigured", "Check user, password"],
    ["3D000", "misconfigured", "no such database"],
    ["42501", "misconfigured", "migrationSql()"],
    ["25006", "read-only", "Connect to the primary"],
    ["53100", "unavailable", "no space left"],
    ["53300", "unavailable", "no connection left"],
    ["53200", "unavailable", "lacks resources"],
    ["08006", "unavailable", "ended the connection"],
    ["08P01", "unavailable", "what the server said"],
    ["57014", "unavailable", "gave a statement up"],
    ["57P01", "unavailable", "shutting down"],
    ["57P03", "unavailable", "starting"],
    ["58030", "unavailable", "its machine"],
    ["55P03", "unavailable", "for a lock"],
    ["40001", "unavailable", "in favour of another one"],
    ["40P01", "unavailable", "in favour of another one"],
    ["25P02", "unavailable", "ended the transaction"],
    ["25P03", "unavailable", "ended the transaction"],
    ["26000", "misconfigured", 'pooler: "transaction"'],
    ["42P05", "misconfigured", 'pooler: "transaction"'],
    ["XX000", "unavailable", "internal error"],
    ["XX001", "corrupt", "restore a backup"],
    ["XX002", "corrupt", "reindex"],
    ["42P01", "schema-version", "Run setup()"],
    ["3F000", "schema-version", "Run setup()"],
    ["42703", "misconfigured", "changed by hand"],
    ["22P05", "misconfigured", "changed by hand"],
  ],
  denied: "42501",
  failures: [
    [failed("ECONNREFUSED"), "unavailable"],
    [failed("ECONNRESET"), "unavailable"],
    [failed("ENOTFOUND"), "unavailable"],
    [failed("ETIMEDOUT"), "unavailable"],
    [failed("EMFILE"), "unavailable"],
    [failed("SELF_SIGNED_CERT_IN_CHAIN"), "misconfigured"],
    [failed("ERR_TLS_CERT_ALTNAME_INVALID"), "misconfigured"],
    [new Error("The server does not support SSL connections"), "misconfigured"],
    [new Error("Connection terminated unexpectedly"), "unavailable"],
    [new Error("Connection terminated due to connection timeout"), "unavailable"],
    [new Error("timeout expired"), "unavailable"],
    [new Error("timeout exceeded when trying to connect"), "unavailable"],
    [new Error("Query read timeout"), "unavailable"],
    [new Error("Client has encountered a connection error and is not queryable"), "unavailable"],
    [new Error("Client was closed and is not queryable"), "unavailable"],
    [new Error("Cannot use a pool after calling end on the pool"), "misconfigured"],
    [new Error("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string"), "misconfigured"],
    [new TypeError("Password must be a string"), "misconfigured"],
    [new Error("SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature does not match"), "misconfigured"],
    [new AggregateError([failed("ECONNREFUSED"), failed("ECONNREFUSED")]), "unavailable"],
  ],
});

test("transactions that the server gave up for the sake of others are tried again", () => {
  expect([said("40001"), said("40P01")].map(isConflict)).toEqual([true, true]);
  expect([said("40003"), said("23505"), failed("40001"), "40001", null].map(isConflict)).toEqual(
    Array.from({ length: 5 }, () => false),
  );
});
