import { randomBytes } from "node:crypto";

const CHARACTERS = 22;
let pool = "";
let drawn = 0;

/** 128 bits as text, as the id of a commit is: drawn in bulk. */
export function randomId(): string {
  if (drawn + CHARACTERS > pool.length) {
    pool = randomBytes(16 * 256).toString("base64url");
    drawn = 0;
  }
  drawn += CHARACTERS;
  return pool.slice(drawn - CHARACTERS, drawn);
}
