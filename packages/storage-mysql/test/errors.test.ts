import { expect, test } from "vitest";
import { describeServerErrors, failed } from "../../storage-sql/test/server-errors.ts";
import { isConflict, isFatal, storageErrorOf } from "../src/errors.ts";

/** As mysql2 makes them, in whichever copy. */
function said(errno: number, message = "what the server said"): Error {
  return Object.assign(new Error(message), { errno, code: `ER_${errno}`, sqlState: "HY000" });
}

describeServerErrors({
  storageErrorOf,
  said,
  detail: "errno",
  meanings: [
    [1040, "unavailable", "no connection left"],
    [1203, "unavailable", "no connection left"],
    [1053, "unavailable", "shutting down"],
    [1927, "unavailable", "ended the connection"],
    [4031, "unavailable", "ended the connection"],
    [1159, "unavailable", "lost the connection"],
    [1047, "unavailable", "another node"],
    [1213, "unavailable", "in favour of another one"],
    [1205, "unavailable", "in favour of another one"],
    [1020, "unavailable", "in favour of another one"],
    [1180, "unavailable", "in favour of another one"],
    [1317, "unavailable", "gave a statement up"],
    [1021, "unavailable", "disk full"],
    [1114, "unavailable", "disk full"],
    [1041, "unavailable", "lacks resources"],
    [1045, "misconfigured", "Check user and password"],
    [1698, "misconfigured", "Check user and password"],
    [1130, "misconfigured", "Allow it to connect"],
    [1049, "misconfigured", "no such database"],
    [1044, "misconfigured", "migrationSql()"],
    [1142, "misconfigured", "migrationSql()"],
    [1153, "misconfigured", "max_allowed_packet"],
    [1286, "misconfigured", "InnoDB"],
    [1665, "misconfigured", "binlog_format"],
    [1290, "read-only", "Connect to the primary"],
    [1792, "read-only", "Connect to the primary"],
    [1836, "read-only", "Connect to the primary"],
    [1712, "corrupt", "restore a backup"],
    [1146, "schema-version", "Run setup()"],
    [1054, "misconfigured", "changed by hand"],
  ],
  denied: 1142,
  failures: [
    [failed("ECONNREFUSED"), "unavailable"],
    [failed("ECONNRESET"), "unavailable"],
    [failed("EPIPE"), "unavailable"],
    [failed("ENOTFOUND"), "unavailable"],
    [failed("ETIMEDOUT"), "unavailable"],
    [failed("EMFILE"), "unavailable"],
    [failed("PROTOCOL_CONNECTION_LOST"), "unavailable"],
    [failed("PROTOCOL_SEQUENCE_TIMEOUT"), "unavailable"],
    [failed("HANDSHAKE_NO_SSL_SUPPORT"), "misconfigured"],
    [failed("HANDSHAKE_SSL_ERROR"), "misconfigured"],
    [failed("SELF_SIGNED_CERT_IN_CHAIN"), "misconfigured"],
    [failed("AUTH_SWITCH_PLUGIN_ERROR"), "misconfigured"],
    [new Error("Can't add new command when connection is in closed state"), "unavailable"],
    [new Error("Pool is closed."), "misconfigured"],
    [new AggregateError([failed("ECONNREFUSED"), failed("ECONNREFUSED")]), "unavailable"],
  ],
});

test("transactions that the server gave up for the sake of others are tried again", () => {
  expect([1213, 1205, 1020, 1180, 1062].map((errno) => isConflict(said(errno)))).toEqual(
    Array.from({ length: 5 }, () => true),
  );
  expect(
    [said(1146), failed("1213"), Object.assign(new Error("x"), { errno: 1213 }), "1213", null].map(isConflict),
  ).toEqual(Array.from({ length: 5 }, () => false));
});

test("a connection is of use after what the server says, and after nothing else", () => {
  expect(isFatal(said(1062))).toBe(false);
  expect(isFatal(Object.assign(said(1927), { fatal: true }))).toBe(true);
  expect(isFatal(failed("PROTOCOL_SEQUENCE_TIMEOUT"))).toBe(true);
  expect(isFatal(failed("ECONNRESET"))).toBe(true);
});
