/**
 * The server's private widget API. Calls are made with the widget token alone: no cookies, so nothing here can be forged by another site
 * or stopped by a browser that blocks third-party cookies.
 */

import { TokenError, type TokenSource } from "./token.ts";
import { type Integration, readIntegrations, readRevocation, readStarted, readStatus, record, type Revocation, type Started, type Status } from "./wire.ts";

/** offline: no answer · expired: the token is dead · forbidden: a live token may not · refused: the server said what is wrong · failed: it could not. */
export type ErrorKind = "offline" | "expired" | "forbidden" | "refused" | "failed";

export class ApiError extends Error {
  constructor(
    readonly kind: ErrorKind,
    message = "",
    readonly code: string | null = null,
    /** Names of the fields the server did not like. */
    readonly fields: readonly string[] = [],
  ) {
    super(message);
  }
}

export interface AuthorizeBody {
  requireHandoff: boolean;
  return_to?: string;
  config?: Record<string, string>;
  connection_intent?: "add" | "reauthorize";
  connected_account_id?: string;
  account_display_name?: string;
}

export interface CredentialBody extends Omit<AuthorizeBody, "requireHandoff" | "return_to"> {
  secret?: string;
  client_id?: string;
  client_secret?: string;
}

export interface Ports {
  fetch: typeof fetch;
  online(): boolean;
  wait(milliseconds: number): Promise<void>;
}

export const PORTS: Ports = {
  fetch: (...request) => fetch(...request),
  online: () => navigator.onLine,
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

const PAUSES = [400, 1200]; // between the tries of a call that changes nothing

export class Api {
  constructor(
    private readonly base: string,
    private readonly token: TokenSource,
    private readonly ports: Ports = PORTS,
  ) {}

  async integrations(): Promise<Integration[]> {
    return readIntegrations(await this.#call("GET", "/DataIntegrations/mine"));
  }

  /** What the person's organization has connected for its members, in the same shape. */
  async shared(): Promise<Integration[]> {
    return readIntegrations(await this.#call("GET", "/DataIntegrations/shared-connections"));
  }

  async authorize(slug: string, body: AuthorizeBody): Promise<Started> {
    try {
      return readStarted(await this.#call("POST", `${at(slug)}/authorize`, body));
    } catch (error) {
      throw error instanceof TypeError ? new ApiError("failed", error.message) : error;
    }
  }

  async status(slug: string, state: string): Promise<Status> {
    return readStatus(await this.#call("GET", `${at(slug)}/authorization-status/${encodeURIComponent(state)}`));
  }

  async putKey(slug: string, body: CredentialBody): Promise<string | null> {
    return idOf(await this.#call("PUT", `${at(slug)}/api-key`, body));
  }

  async putCredentials(slug: string, body: CredentialBody): Promise<string | null> {
    return idOf(await this.#call("PUT", `${at(slug)}/client-credentials`, body));
  }

  async disconnect(accountId: string): Promise<Revocation> {
    return readRevocation(await this.#call("DELETE", `/DataIntegrations/installations/${encodeURIComponent(accountId)}`));
  }

  async #call(method: string, path: string, body?: object): Promise<unknown> {
    const pauses = method === "GET" ? [...PAUSES] : [];
    for (let renewed = false; ; ) {
      const token = await this.#token();
      const answer = await this.#send(method, path, token, body).catch((error: unknown) => {
        if (error instanceof ApiError) return error;
        throw error;
      });
      if (answer instanceof ApiError) {
        const pause = answer.kind === "failed" || (answer.kind === "offline" && this.ports.online()) ? pauses.shift() : undefined;
        if (pause === undefined) throw answer;
        await this.ports.wait(pause);
      } else if (answer.status === 403 || answer.status === 401) {
        // The clock of this computer may be wrong, or the token was revoked: the host is asked once more before anybody is told.
        this.token.refused(token);
        if (!this.token.renewable || renewed) throw new ApiError(this.token.renewable ? "forbidden" : "expired", answer.message, answer.code);
        renewed = true;
      } else {
        return answer.body;
      }
    }
  }

  async #token(): Promise<string> {
    try {
      return await this.token.get();
    } catch (error) {
      throw error instanceof TokenError ? new ApiError("expired", error.message) : error;
    }
  }

  async #send(method: string, path: string, token: string, body?: object): Promise<{ status: number; body: unknown; message: string; code: string | null }> {
    let response: Response;
    try {
      response = await this.ports.fetch(`${this.base}/_widgets${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", "WorkOS-Widgets-Version": "1", "WorkOS-Widgets-Type": "pipes" },
        body: body === undefined ? null : JSON.stringify(body),
        cache: "no-store",
        credentials: "omit",
        referrerPolicy: "no-referrer",
        redirect: "error",
      });
    } catch {
      throw new ApiError("offline");
    }
    const answer: unknown = await response.json().catch(() => null);
    const told = record(answer);
    const message = typeof told["message"] === "string" ? told["message"] : "";
    const code = typeof told["code"] === "string" ? told["code"] : null;
    if (response.ok && answer !== null) return { status: response.status, body: answer, message, code };
    if (response.status === 401 || response.status === 403) return { status: response.status, body: answer, message, code };
    if ([400, 404, 409, 422].includes(response.status)) {
      const fields = Array.isArray(told["errors"]) ? told["errors"].map((error) => record(error)["field"]).filter((name): name is string => typeof name === "string") : [];
      throw new ApiError("refused", message, code, fields);
    }
    throw new ApiError("failed", message, code);
  }
}

const at = (slug: string): string => `/DataIntegrations/${encodeURIComponent(slug)}`;

function idOf(answer: unknown): string | null {
  const id = record(answer)["id"];
  return typeof id === "string" ? id : null;
}
