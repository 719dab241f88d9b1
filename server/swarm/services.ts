import { z } from 'zod';
import type { Engine } from '../engine/engine.ts';
import { inSequence } from './swarm-api.ts';

const SPEC = z.looseObject({
  Labels: z.record(z.string(), z.string()).catch({}),
  Mode: z
    .looseObject({ Replicated: z.looseObject({ Replicas: z.number() }).optional() })
    .optional(),
  TaskTemplate: z.looseObject({
    Placement: z.looseObject({ Constraints: z.array(z.string()).nullish() }).optional(),
  }),
});

/** What a service is to be; what is not named here is passed on as it is. */
export type ServiceSpec = z.output<typeof SPEC>;

const SERVICE = z.object({
  ID: z.string(),
  Version: z.object({ Index: z.number() }),
  Spec: SPEC,
});
const SERVICES = z.array(SERVICE);

/** The services with a label, `name=value`. @throws the signal's reason; whatever the engine said */
export async function servicesOf(
  { docker }: Engine,
  label: string,
  signal?: AbortSignal,
): Promise<readonly z.output<typeof SERVICE>[]> {
  const options = { filters: { label: [label] }, ...(signal && { abortSignal: signal }) };
  return SERVICES.parse(await docker.listServices(options));
}

/** What a service is to be. @throws the signal's reason; whatever the engine said */
export async function serviceSpec(
  { docker }: Engine,
  service: string,
  signal: AbortSignal,
): Promise<ServiceSpec> {
  return SERVICE.parse(await docker.getService(service).inspect({ abortSignal: signal })).Spec;
}

/**
 * Changes what a service is to be. A change is not broken off: the engine may still finish it, after a removal has looked.
 *
 * @param change `undefined` leaves it as it is
 * @throws whatever the engine said
 */
export async function changeService(
  { docker }: Engine,
  service: string,
  change: (spec: ServiceSpec) => ServiceSpec | undefined,
): Promise<void> {
  await inSequence(async () => {
    const object = docker.getService(service);
    const { Spec, Version } = SERVICE.parse(await object.inspect());
    const changed = change(Spec);
    if (changed) await object.update({ ...changed, version: Version.Index });
  });
}

/** Removes a service; gone already is success. @throws whatever the engine said */
export async function removeService({ docker }: Engine, service: string): Promise<void> {
  await docker
    .getService(service)
    .remove()
    .catch((error: { readonly statusCode?: number }) => {
      if (error.statusCode !== 404) throw error;
    });
}
