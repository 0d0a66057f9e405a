/** Does a fault to a service, and to its end: whoever was struck is well again. */
import { setTimeout as sleep } from "node:timers/promises";
import { asLimbeckError } from "../../../core/errors.ts";
import type { NatsServer } from "../../natsserver.ts";
import type { Coordinator } from "./coordinators.ts";
import type { ServiceFault } from "./faults.ts";
import type { Service } from "./service.ts";
import type { Worker } from "./workers.ts";

/** A fault that was done. */
export interface ServiceStruck extends ServiceFault {
  /** Unix time. */
  readonly struckMs: number;
  /** That was killed or stopped, and led with this fence; null where none was. */
  readonly fence: number | null;
}

/** What is to be done, and to which job. */
export interface ServiceStrike {
  readonly fault: ServiceFault;
  readonly job: string;
}

/** `struck` is told at once; resolves when the fault is undone. */
export async function strikeService(
  service: Service,
  { fault, job }: ServiceStrike,
  struck: (done: ServiceStruck) => void,
): Promise<void> {
  const { kind, lastsMs, target } = fault;
  const leader = service.coordinators.leader();
  const tell = (fence: number | null) => struck({ ...fault, struckMs: Date.now(), fence });
  switch (kind) {
    case "kill-leader":
    case "kill-leader-and-worker": {
      if (!leader) return;
      tell(leader.fence);
      const worker = kind === "kill-leader" ? null : oneOf(service.workers.all, target);
      await Promise.all([killed(service, leader.coordinator, lastsMs), worker && lost(service, worker, lastsMs)]);
      return;
    }
    case "pause-and-kill-leader": {
      if (!leader) return;
      await unlessOver(service.control(job, "pause"));
      tell(leader.fence);
      await killed(service, leader.coordinator, lastsMs);
      return await unlessOver(service.control(job, "resume"));
    }
    case "stop-leader": {
      if (!leader) return;
      const { process: child } = leader.coordinator;
      tell(leader.fence);
      child!.kill("SIGSTOP");
      await sleep(lastsMs);
      child!.kill("SIGCONT");
      return;
    }
    case "kill-standby": {
      const standbys = service.coordinators.all.filter((each) => each.process && each !== leader?.coordinator);
      if (standbys.length === 0) return;
      tell(null);
      return await killed(service, oneOf(standbys, target), lastsMs);
    }
    case "kill-worker":
      tell(null);
      return await lost(service, oneOf(service.workers.all, target), lastsMs);
    case "kill-nats":
    case "kill-one-nats":
      tell(null);
      return await eachServer(
        service,
        kind === "kill-nats" ? service.nats : [oneOf(service.nats, target)],
        async (server) => {
          await server.kill();
          await sleep(lastsMs);
          await server.restart();
        },
      );
    case "stop-nats":
      tell(null);
      return await eachServer(service, service.nats, async (server) => {
        server.pause();
        await sleep(lastsMs);
        server.resume();
      });
  }
}

/** A job that has ended meanwhile takes no order. */
async function unlessOver(ordered: Promise<void>): Promise<void> {
  await ordered.catch((thrown) => {
    if (asLimbeckError(thrown).code !== "usage") throw thrown;
  });
}

async function killed(service: Service, coordinator: Coordinator, lastsMs: number): Promise<void> {
  await service.coordinators.kill(coordinator);
  await sleep(lastsMs);
  service.coordinators.start(coordinator);
}

async function lost(service: Service, worker: Worker, lastsMs: number): Promise<void> {
  await service.workers.kill(worker);
  await sleep(lastsMs);
  service.workers.start(worker);
}

/** All of these at once; what is to be done to a server waits until the fault before is over. */
async function eachServer(
  service: Service,
  servers: readonly NatsServer[],
  work: (server: NatsServer) => Promise<void>,
): Promise<void> {
  const turn = (turns.get(service) ?? Promise.resolve()).then(async () => {
    await Promise.all(servers.map(work));
  });
  turns.set(
    service,
    turn.catch(() => {}),
  );
  await turn;
}

const turns = new WeakMap<Service, Promise<void>>();

function oneOf<T>(those: readonly T[], target: number): T {
  return those[Math.floor(target * those.length)]!;
}
