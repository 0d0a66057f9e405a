/** Whether what containers are told to reach is there, and lets itself be reached. */
import { opens, reaches, rulesOf } from "./network.ts";
import { type PodOf, podsOf, type Thing } from "./render.ts";
import { isInside, type Place, placesIn, reachedBy } from "./services.ts";

export function addressProblems(objects: readonly Thing[]): string[] {
  return podsOf(objects).flatMap((pod) =>
    pod.spec.containers.flatMap((container: Thing) => [
      ...placesOf(container).flatMap((place) => placeProblems(objects, pod, place)),
      ...leaderProblems(pod, container),
    ]),
  );
}

/** Whom it calls, as it is told by options and variables. */
function placesOf({ args, env = [] }: Thing): Place[] {
  const options = args.flatMap((arg: string) => /^--(?:coordinator|depot)=(?!s3:)(.+)$/.exec(arg)?.[1] ?? []);
  const variables = env.flatMap(({ value = "" }: Thing) => (/^(nats|tls|https?):\/\//.test(value) ? [value] : []));
  const isAmazons = args.some((arg: string) => arg.startsWith("--depot=s3:")) && !has(env, "AWS_ENDPOINT_URL_S3");
  return [...options, ...variables, ...(isAmazons ? ["https://s3.amazonaws.com"] : [])].flatMap(placesIn);
}

function placeProblems(objects: readonly Thing[], pod: PodOf, place: Place): string[] {
  const [told, found] = [`${pod.where} is told ${place.host}:${place.port}`, reachedBy(objects, place)];
  if (found)
    return found.pods.every((each) => reaches(objects, [pod, each], found.port))
      ? []
      : [`${told}, and network policies forbid it`];
  if (isInside(objects, place.host)) return [`${told}, which is no Service here`];
  const isLetOut = rulesOf(objects, pod, "Egress").some(
    ({ to, ports }) =>
      opens(ports, place.port) && (!to || to.some((peer: Thing) => peer.namespaceSelector || peer.ipBlock)),
  );
  return isLetOut ? [] : [`${told}, and no network policy lets it out there`];
}

/** Whoever joins or submits finds the coordinator by its address, or asks NATS; several coordinators need NATS. */
function leaderProblems({ where, owner }: PodOf, { args, env = [] }: Thing): string[] {
  const asksNats = has(env, "LIMBECK_NATS");
  const isTold = args.some((arg: string) => arg.startsWith("--coordinator=")) || asksNats;
  if (["worker", "submit"].includes(args[0])) return isTold ? [] : [`${where} is not told where a coordinator is`];
  const isOfSeveral = args[0] === "coordinator" && owner.spec.replicas > 1;
  return isOfSeveral && !asksNats ? [`${where} are several, and are not told where NATS is`] : [];
}

function has(env: readonly Thing[], name: string): boolean {
  return env.some((each) => each.name === name);
}
