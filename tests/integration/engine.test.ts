import { engineContract } from '../contract/engine-contract.ts';
import { openFoundry } from './stage.ts';

engineContract(openFoundry);
