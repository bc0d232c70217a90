/** How often the nemeses of L4 strike. */
export interface Strikes {
  /** Workers killed with SIGKILL. */
  readonly kills: number;
  /** Workers stopped for longer than their leases. */
  readonly zombies: number;
  /** Connections cut, in each case that cuts some. */
  readonly cuts: number;
  /** Servers killed with SIGKILL. */
  readonly serverKills: number;
  /** Workers cut off for longer than their leases. */
  readonly blackholes: number;
  /** Claims by workers whose clock is wrong. */
  readonly skewedClaims: number;
  /** Times that there is no room left to write. */
  readonly fullDisks: number;
}

const USUAL: Strikes = {
  kills: 300,
  zombies: 3,
  cuts: 40,
  serverKills: 3,
  blackholes: 3,
  skewedClaims: 60,
  fullDisks: 3,
};

const LARGE: Strikes = {
  kills: 1_000,
  zombies: 100,
  cuts: 200,
  serverKills: 50,
  blackholes: 100,
  skewedClaims: 2_000,
  fullDisks: 50,
};

/** The numbers that are asked for; the others are the usual or the large ones. */
export function strikesOf(asked: Partial<Strikes>, full: boolean): Strikes {
  const usual = full ? LARGE : USUAL;
  return {
    kills: asked.kills ?? usual.kills,
    zombies: asked.zombies ?? usual.zombies,
    cuts: asked.cuts ?? usual.cuts,
    serverKills: asked.serverKills ?? usual.serverKills,
    blackholes: asked.blackholes ?? usual.blackholes,
    skewedClaims: asked.skewedClaims ?? usual.skewedClaims,
    fullDisks: asked.fullDisks ?? usual.fullDisks,
  };
}
