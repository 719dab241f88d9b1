import { engineContract } from '../contract/engine-contract.ts';
import { openRuntime } from './stage.ts';

engineContract(openRuntime);
