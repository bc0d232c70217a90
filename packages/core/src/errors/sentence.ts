/** A foreign message as a whole sentence, so that another one can follow. */
export function sentence(message: string): string {
  return /[.!?…]$/.test(message) ? message : `${message}.`;
}
