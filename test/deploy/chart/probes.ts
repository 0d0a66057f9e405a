/** What kubelets ask containers, as the chart has it said. */
import { optionOf } from "./arguments.ts";
import { pages } from "./pages.ts";
import { containersOf } from "./pods.ts";
import { podsOf, type Thing } from "./render.ts";

const kinds = ["startupProbe", "livenessProbe", "readinessProbe"] as const;

/** Probes ask ports that are there, for what is served at them; who has ports has all three. */
export function probeProblems(objects: readonly Thing[]): string[] {
  return podsOf(objects).flatMap(({ where, spec }) =>
    containersOf(spec).flatMap((container) => {
      const { name, ports = [] } = container;
      return kinds.flatMap((kind) => {
        const probe = container[kind];
        if (!probe) return ports.length > 0 ? [`${where}: ${name} has ports and no ${kind}`] : [];
        const asked = probe.grpc?.port ?? probe.httpGet?.port;
        const port = ports.find((each: Thing) => each.name === asked || each.containerPort === asked)?.containerPort;
        if (port === undefined) return [`${where}: ${kind} of ${name} asks port ${asked}, which it does not have`];
        const wrong = name === "nats" ? natsAnswer(probe) : answer(container, { kind, probe, port });
        return wrong === "" ? [] : [`${where}: ${kind} of ${name} ${wrong}`];
      });
    }),
  );
}

interface Question {
  readonly kind: (typeof kinds)[number];
  readonly probe: Thing;
  readonly port: number;
}

/** What is wrong with it; empty where nothing is. */
function answer({ args }: Thing, { kind, probe, port }: Question): string {
  const serves = (option: string) => optionOf(args, option)?.endsWith(`:${port}`) === true;
  if (probe.grpc) return serves("health") ? "" : `asks ${port}, where --health is not`;
  const { path } = probe.httpGet;
  if (!serves("http")) return `asks ${port}, where --http is not`;
  const served = pages[args[0]] ?? [];
  if (!served.includes(path)) return `asks for ${path}, which is not served`;
  // To restart a coordinator brings no NATS back; to send it questions that it cannot answer helps nobody.
  const isOfReadiness = path === "/readyz";
  const isWanted = kind === "readinessProbe" && served.includes("/readyz");
  return isOfReadiness === isWanted ? "" : `asks for ${path}, which says something else`;
}

/** Of the server's monitor, which says by options what is to be well. */
function natsAnswer({ httpGet }: Thing): string {
  return /^\/healthz(\?|$)/.test(httpGet?.path) ? "" : `asks for ${httpGet?.path}, which is not of health`;
}
