import { NoAnswerError } from "./within.ts";
import { KafkaError, type KafkaErrorCode } from "../errors.ts";

/** What the client puts on its errors. */
interface ClientError {
  readonly code?: unknown;
  /** The name Kafka gives to an error. */
  readonly apiId?: unknown;
  /** Which call of the system failed, on errors of Node: `connect`, `getaddrinfo`. */
  readonly syscall?: unknown;
  readonly message?: unknown;
  readonly errors?: readonly unknown[];
  readonly cause?: unknown;
}

const DEEPEST = 8;

/** Every error in a tree of causes and of errors that came together. */
function* errorsIn(error: unknown, depth = 0): Generator<ClientError> {
  if (typeof error !== "object" || error === null || depth > DEEPEST) return;
  const { errors, cause } = error as ClientError;
  yield error;
  if (Array.isArray(errors)) for (const one of errors) yield* errorsIn(one, depth + 1);
  yield* errorsIn(cause, depth + 1);
}

/** Whether an error is, or contains, one that Kafka names so. */
export function isKafkaError(error: unknown, ...names: readonly string[]): boolean {
  for (const { apiId } of errorsIn(error)) {
    if (typeof apiId === "string" && names.includes(apiId)) return true;
  }
  return false;
}

interface Explanation {
  readonly code: KafkaErrorCode;
  readonly advice: string;
  fits(error: ClientError): boolean;
}

const hasId =
  (...names: string[]) =>
  ({ apiId }: ClientError): boolean =>
    typeof apiId === "string" && names.includes(apiId);
const hasCode =
  (...codes: string[]) =>
  ({ code }: ClientError): boolean =>
    typeof code === "string" && codes.includes(code);
const says =
  (pattern: RegExp) =>
  ({ message }: ClientError): boolean =>
    typeof message === "string" && pattern.test(message);

/** In order: what tells more comes first. */
const EXPLANATIONS: readonly Explanation[] = [
  {
    code: "KAFKA_AUTHENTICATION",
    advice:
      "the broker does not accept the credentials; check `sasl`: its mechanism, user name and password, or token",
    fits: (error) =>
      hasCode("PLT_KFK_AUTHENTICATION")(error) ||
      hasId(
        "SASL_AUTHENTICATION_FAILED",
        "UNSUPPORTED_SASL_MECHANISM",
        "ILLEGAL_SASL_STATE",
      )(error),
  },
  {
    code: "KAFKA_AUTHORIZATION",
    advice:
      "the user may not do this; allow it to read and describe the topics and to read the group",
    fits: hasId(
      "TOPIC_AUTHORIZATION_FAILED",
      "GROUP_AUTHORIZATION_FAILED",
      "CLUSTER_AUTHORIZATION_FAILED",
    ),
  },
  {
    code: "KAFKA_AUTHORIZATION",
    advice:
      "the user may not use this `transactionalId`; allow it to write and describe the transactional id",
    fits: hasId("TRANSACTIONAL_ID_AUTHORIZATION_FAILED"),
  },
  {
    code: "KAFKA_INSTANCE_FENCED",
    advice: "another process of the group has the same `groupInstanceId`; give each its own",
    fits: hasId("FENCED_INSTANCE_ID"),
  },
  {
    code: "KAFKA_TOPIC_MISSING",
    advice: "create it, or correct `topics`",
    fits: (error) =>
      says(/^Unknown topic /)(error) ||
      hasId("UNKNOWN_TOPIC_OR_PARTITION", "UNKNOWN_TOPIC_ID")(error),
  },
  {
    code: "KAFKA_UNSUPPORTED_VERSION",
    advice: "the brokers are too old or no Kafka; they have to be of Kafka 2.4 or newer",
    fits: (error) =>
      hasCode("PLT_KFK_UNSUPPORTED_API", "PLT_KFK_UNSUPPORTED")(error) ||
      hasId("UNSUPPORTED_VERSION")(error),
  },
  {
    code: "KAFKA_UNREACHABLE",
    advice: "the broker speaks TLS; leave `tls` at its default or set it to true",
    fits: says(/^Broker requires TLS/),
  },
  {
    code: "KAFKA_UNREACHABLE",
    advice:
      "no TLS connection came about; check that this port of the broker speaks TLS, and that its certificate is trusted (`tls.ca`) and is for this name (`tls.servername`)",
    fits: (error) =>
      says(/^TLS handshake failed|certificate|wrong version number/i)(error) ||
      hasCode(
        "DEPTH_ZERO_SELF_SIGNED_CERT",
        "SELF_SIGNED_CERT_IN_CHAIN",
        "ERR_TLS_CERT_ALTNAME_INVALID",
      )(error),
  },
  {
    code: "KAFKA_GROUP",
    advice:
      "the group cannot be joined; its other members use another protocol, or the times are outside the broker's limits (group.min.session.timeout.ms, group.max.session.timeout.ms)",
    fits: hasId(
      "INCONSISTENT_GROUP_PROTOCOL",
      "INVALID_SESSION_TIMEOUT",
      "INVALID_GROUP_ID",
      "GROUP_MAX_SIZE_REACHED",
      "REBALANCE_IN_PROGRESS",
      "UNKNOWN_MEMBER_ID",
      "ILLEGAL_GENERATION",
    ),
  },
  {
    code: "KAFKA_UNREACHABLE",
    advice:
      "the broker takes connections but does not answer; it hangs, or something else is listening there. Give several `brokers`, so that another can be asked",
    fits: (error) => error instanceof NoAnswerError,
  },
  {
    code: "KAFKA_UNREACHABLE",
    advice:
      "the connection was closed at the other end. Either the broker was stopped, or this port wants TLS (`tls`) or credentials (`sasl`), or is no Kafka",
    fits: says(/^Connection closed$/),
  },
  {
    code: "KAFKA_UNREACHABLE",
    advice:
      "check `brokers`, that they run, and that the addresses they advertise can be reached from here",
    fits: hasCode("PLT_KFK_NETWORK", "PLT_KFK_TIMEOUT"),
  },
  {
    code: "KAFKA_UNREACHABLE",
    advice:
      "the cluster is not ready for it: it is starting, or lacks brokers; see their logs if it stays so",
    fits: hasId(
      "COORDINATOR_NOT_AVAILABLE",
      "COORDINATOR_LOAD_IN_PROGRESS",
      "NOT_COORDINATOR",
      "BROKER_NOT_AVAILABLE",
      "LEADER_NOT_AVAILABLE",
      "NETWORK_EXCEPTION",
      "REQUEST_TIMED_OUT",
      "CONCURRENT_TRANSACTIONS",
    ),
  },
];

/** The error to show for one of the client's: what happened, and what to do about it. */
export function explain(what: string, error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  const all = [...errorsIn(error)];
  // What we have said ourselves comes back inside the client's.
  const own = all.find((one) => one instanceof KafkaError);
  if (own !== undefined) return own;
  const found = EXPLANATIONS.find(({ fits }) => all.some(fits));
  if (found === undefined) {
    return new KafkaError("KAFKA_UNEXPECTED", `Kafka: ${what} failed; see the cause`, {
      cause: error,
    });
  }
  const system = all.find(({ syscall, code }) => typeof syscall === "string" && code !== undefined);
  const why = system === undefined ? "" : ` (${String(system.syscall)} ${String(system.code)})`;
  return new KafkaError(found.code, `Kafka: ${what} failed${why}: ${found.advice}`, {
    cause: error,
  });
}

/** Whether waiting is no remedy. */
export function isHopeless({ code }: KafkaError): boolean {
  return (
    code === "KAFKA_AUTHENTICATION" ||
    code === "KAFKA_AUTHORIZATION" ||
    code === "KAFKA_INSTANCE_FENCED" ||
    code === "KAFKA_UNSUPPORTED_VERSION"
  );
}
