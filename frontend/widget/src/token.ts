/**
 * Where the widget token comes from: a string, or the host's function, asked again before the token ends.
 * The token is kept in memory only, and read for nothing but its end; the server alone judges it.
 */

export type TokenProvider = string | (() => string | Promise<string>);

/** Seconds before its end at which a token is replaced. */
export const AHEAD = 30;

export class TokenError extends Error {}

/** `exp` of a JWT, in seconds since 1970; null if it has none that can be read. */
export function expiryOf(token: string): number | null {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const claims: unknown = JSON.parse(atob(payload.padEnd(Math.ceil(payload.length / 4) * 4, "=")));
    const exp = (claims as { exp?: unknown } | null)?.exp;
    return typeof exp === "number" && Number.isFinite(exp) ? exp : null;
  } catch {
    return null;
  }
}

export class TokenSource {
  #held: string | null = null;
  #asking: Promise<string> | null = null;

  constructor(
    private readonly provider: TokenProvider,
    private readonly now: () => number = () => Date.now() / 1000,
  ) {}

  /** Can a refused token be replaced by asking again? */
  get renewable(): boolean {
    return typeof this.provider === "function";
  }

  /** A token with time left. Many callers at once ask the host once. Raises TokenError. */
  async get(): Promise<string> {
    if (this.#held !== null && this.#hasTime(this.#held)) return this.#held;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** The server refused `token`. If that is still the one held, the next `get` asks anew. */
  refused(token: string): void {
    if (this.#held === token) this.#held = null;
  }

  async #ask(): Promise<string> {
    const { provider } = this;
    let token: unknown;
    try {
      token = typeof provider === "function" ? await provider() : provider;
    } catch (error) {
      throw new TokenError("The page gave no token.", { cause: error });
    }
    if (typeof token !== "string" || token.trim() === "") throw new TokenError("The page gave no token.");
    const exp = expiryOf(token);
    // A fresh one within the last seconds of its life is still good for one call; only a dead one is not.
    if (exp !== null && exp <= this.now()) throw new TokenError("The token has expired.");
    this.#held = token;
    return token;
  }

  #hasTime(token: string): boolean {
    const exp = expiryOf(token);
    return exp === null || exp - AHEAD > this.now();
  }
}
