// Request units, estimated by what is documented: a point read of 1 KB costs 1, of 100 KB 10; a write of 1 KB with few indexed properties 5.29, and
// about 0.5 for each further KB; a query about 2.3 and what it reads.

const KIB = 1024;

export function readCharge(bytes: number): number {
  return round(1 + (9 * Math.max(0, bytes - KIB)) / (99 * KIB));
}

export function writeCharge(bytes: number): number {
  return round(5.29 + (0.5 * Math.max(0, bytes - KIB)) / KIB);
}

export function queryCharge(items: number, bytes: number): number {
  return round(2.3 + 0.03 * items + (0.25 * bytes) / KIB);
}

function round(charge: number): number {
  return Math.round(charge * 100) / 100;
}
