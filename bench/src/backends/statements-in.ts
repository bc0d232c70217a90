/** What stands in quotes, and the ends of statements. */
const TOKENS = /'(?:[^']|'')*'|"[^"]*"|;/gu;
/** What prepares a connection for its work. */
const SET_UP = /^(?:set\s|listen\s|select set_config\()/iu;

/** How many statements a text has that it is worth counting: those that set a connection up happen once. */
export function statementsIn(text: string): number {
  const statements: string[] = [];
  let from = 0;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (token !== ";") continue;
    statements.push(text.slice(from, index));
    from = index + 1;
  }
  statements.push(text.slice(from));
  return statements.map((one) => one.trim()).filter((one) => one !== "" && !SET_UP.test(one)).length;
}
