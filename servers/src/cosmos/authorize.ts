import { createHmac } from "node:crypto";
import { Failure } from "./failure.ts";

/** What a path names: the type of resource, and the link that a signature is about. */
export interface Target {
  readonly type: string;
  readonly link: string;
}

/** By the rules of the service: of a feed, its parent's link. */
export function targetOf(segments: readonly string[]): Target {
  if (segments.length === 0) return { type: "", link: "" };
  const isFeed = segments.length % 2 === 1;
  const type = isFeed ? segments.at(-1)! : segments.at(-2)!;
  return { type, link: (isFeed ? segments.slice(0, -1) : segments).join("/") };
}

/** @throws Failure 401 unless the request is signed with the account's key, or brings a token of Entra ID */
export function authorize(key: string, method: string, target: Target, header: string | undefined, date: string): void {
  const given = new URLSearchParams(decodeURIComponent(header ?? "").replaceAll("+", "%2B"));
  if (given.get("type") === "aad" && (given.get("sig") ?? "") !== "") return;
  const text = [method, target.type, target.link, date.toLowerCase(), "", ""];
  const signed = [text[0]!.toLowerCase(), text[1]!.toLowerCase(), ...text.slice(2)].join("\n");
  const expected = createHmac("sha256", Buffer.from(key, "base64")).update(signed).digest("base64");
  if (given.get("type") === "master" && given.get("sig") === expected) return;
  throw new Failure(401, "The input authorization token can't serve the request.");
}
