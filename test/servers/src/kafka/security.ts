/** What a listener asks of its clients. */
export type SecureListener = "SASL_PLAINTEXT" | "SASL_SSL" | "SSL";

export interface Security {
  readonly listeners: readonly SecureListener[];
  /** Passwords by name. */
  readonly users: Readonly<Record<string, string>>;
  /** Needed by listeners with TLS. */
  readonly keystore: { readonly path: string; readonly password: string } | undefined;
}

const MODULES = "org.apache.kafka.common.security";

/** What `brokerProperties` needs for the listeners beside the plain one. */
export function securityProperties({
  listeners,
  users,
  keystore,
}: Security): Record<string, string> {
  const passwords = Object.entries(users).map(([name, password]) => ` user_${name}="${password}"`);
  const modules = {
    plain: `${MODULES}.plain.PlainLoginModule required${passwords.join("")};`,
    "scram-sha-256": `${MODULES}.scram.ScramLoginModule required;`,
    "scram-sha-512": `${MODULES}.scram.ScramLoginModule required;`,
    oauthbearer: `${MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
  };
  const properties: Record<string, string> = {};
  for (const listener of listeners) {
    const prefix = `listener.name.${listener.toLowerCase()}.`;
    if (listener.startsWith("SASL")) {
      const mechanisms = Object.keys(modules).map((name) => name.toUpperCase());
      properties[`${prefix}sasl.enabled.mechanisms`] = mechanisms.join();
      for (const [mechanism, module] of Object.entries(modules))
        properties[`${prefix}${mechanism}.sasl.jaas.config`] = module;
    }
    if (listener.endsWith("SSL") && keystore !== undefined) {
      properties[`${prefix}ssl.keystore.type`] = "PKCS12";
      properties[`${prefix}ssl.keystore.location`] = keystore.path;
      properties[`${prefix}ssl.keystore.password`] = keystore.password;
    }
  }
  return properties;
}

/** How `StorageTool format` is told the users of SCRAM. */
export function scramCredentials(users: Readonly<Record<string, string>>): string[] {
  return Object.entries(users).flatMap(([name, password]) =>
    ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
      "--add-scram",
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  );
}
