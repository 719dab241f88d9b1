import { engineContract } from '../../contract/engine-contract.ts';
import { MemoryEngine } from '../../fixtures/memory-engine.ts';
import { MemoryMachine } from '../../fixtures/memory-machine.ts';
import { memoryRuntime } from '../../fixtures/memory-runtime.ts';

engineContract(async () => {
  const machine = new MemoryMachine();
  machine.hostEngineBootMs = 0;
  const instance = 'contract';
  const runtime = memoryRuntime(new MemoryEngine(machine), instance);
  return { runtime, instance, [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose]() };
});
