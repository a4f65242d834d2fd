/** Who is signed in, for every page. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";

export interface Session {
  actor: string;
  role: "administrator" | "viewer";
  csrf: string;
  app_name: string;
  stage: string;
  environment: "sandbox" | "production";
  url: string;
  expires_at: string;
  /** Addresses of providers' pictures, by slug. */
  icons: Record<string, { light: string; dark: string }>;
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("no session");
  return session;
}
