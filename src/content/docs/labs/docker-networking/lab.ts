import { defineLab, withScenarios } from '#lab';
import { dockerNetworks } from './checks/docker-networks.ts';
import { ephemeralPorts } from './checks/ephemeral-ports.ts';
import { linuxBridge } from './checks/linux-bridge.ts';
import { IMAGE } from './checks/myapp2.ts';
import { dockerNetworksScenarios } from './scenarios/docker-networks.ts';
import { ephemeralPortsScenarios } from './scenarios/ephemeral-ports.ts';
import { linuxBridgeScenarios } from './scenarios/linux-bridge.ts';
import { values } from './values.ts';

/** How a container gets its addresses and ports, and what stands between it and a client. */
export const lab = defineLab({
  title: 'Docker Networking',
  hosts: {
    server01: {
      address: '10.1.10.11/24',
      aliases: ['agent01', 'mesos-agent01'],
      engine: true,
      images: [IMAGE],
    },
    server02: { address: '10.1.10.12/24', engine: true, images: [IMAGE] },
    client: { address: '10.1.10.100/24' },
  },
  images: { [IMAGE]: 'mycontainer' },
  browser: 'client',
  values,
  sections: [
    {
      page: 'ephemeral-ports',
      title: 'Ephemeral ports',
      checks: withScenarios(ephemeralPorts, ephemeralPortsScenarios),
    },
    {
      page: 'linux-bridge',
      title: 'The Linux bridge',
      checks: withScenarios(linuxBridge, linuxBridgeScenarios),
    },
    {
      page: 'docker-networks',
      title: 'Docker’s networks',
      checks: withScenarios(dockerNetworks, dockerNetworksScenarios),
    },
  ],
});
