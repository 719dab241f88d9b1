import { expect, test } from './learner.ts';

test('a learner finishes the whole lab with a browser alone, and every step ticks', async ({
  learner,
}) => {
  await learner.goTo('ephemeral-ports/');
  await learner.notYet('myapp2-on-ephemeral-port', 'No container named myapp2');
  await learner.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await learner.ticked('myapp2-on-ephemeral-port');

  await learner.type('server01', 'docker port myapp2');
  const port = await learner.read(/80\/tcp -> 0\.0\.0\.0:(\d+)/);
  await learner.answer('myapp2-port-read', port);
  await learner.ticked('myapp2-port-read');

  await learner.visit(`http://10.1.10.11:${port}`);
  await expect(learner.pane.locator('#server-ip')).toContainText('172.17.0.2');
  await learner.ticked('myapp2-page-opened');

  await learner.type('server01', 'docker restart myapp2');
  await learner.ticked('myapp2-restarted', 'port-changed');
  await learner.type('server01', 'clear; docker port myapp2');
  await expect(async () => {
    expect(await learner.read(/80\/tcp -> 0\.0\.0\.0:(\d+)/)).not.toBe(port);
  }).toPass();
  const second = await learner.read(/80\/tcp -> 0\.0\.0\.0:(\d+)/);

  await learner.page.getByRole('link', { name: /^Next/ }).click();
  await expect(learner.page).toHaveURL(/linux-bridge/);
  await learner.ready();
  await learner.type('server01', 'clear; ifconfig docker0');
  await learner.answer('docker0-address-read', await learner.read(/inet (172\.\d+\.\d+\.\d+)/));
  await learner.ticked('docker0-address-read');

  await learner.visit(`10.1.10.11:${second}`);
  const serverIp = (await learner.pane.locator('#server-ip').textContent()) ?? '';
  const [address = ''] = /\d+\.\d+\.\d+\.\d+/.exec(serverIp) ?? [];
  await learner.answer('server-ip-read', address);
  await learner.ticked('server-ip-read');

  await learner.type('server01', 'clear; ifconfig eth1');
  await learner.answer('eth1-address-read', await learner.read(/inet (10\.\d+\.\d+\.\d+)/));
  await learner.ticked('eth1-address-read');

  await learner.visit(`http://${address}`);
  await expect(learner.page.locator('.panel:visible')).toContainText('unreachable');
  await learner.type('client', 'route add 172.17.0.0 mask 255.255.0.0 10.1.10.11');
  await learner.ticked('client-route');
  await learner.visit(`http://${address}`);
  await expect(learner.pane.locator('#client-ip')).toContainText('10.1.10.100');
  await learner.ticked('container-page-opened');

  await learner.type('server01', 'clear; cat /proc/sys/net/ipv4/ip_forward');
  await learner.answer('ip-forward-read', await learner.read(/(?:^|\n)([01])\s/));
  await learner.ticked('ip-forward-read');

  await learner.type('server01', 'docker restart myapp2');
  await learner.ticked('restarted-again');
  await learner.visit(`http://10.1.10.11:${second}`);
  await expect(learner.page.locator('.panel:visible')).toContainText('refused to connect');
  await learner.ticked('old-port-refused');
  await learner.visit(`http://${address}`);
  await learner.ticked('direct-way-still-works');

  await learner.page.getByRole('link', { name: /^Next/ }).click();
  await expect(learner.page).toHaveURL(/docker-networks/);
  await learner.ready();
  await learner.type('server01', 'clear; docker network ls');
  await learner.answer(
    'bridge-network-id',
    await learner.read(/(?:^|\n)([0-9a-f]{12})\s+bridge\s+bridge/),
  );
  await learner.ticked('bridge-network-id');
  await learner.type('server01', 'clear; docker network inspect bridge | grep IPv4Address');
  await learner.answer('myapp2-ipv4-read', await learner.read(/"IPv4Address": "([\d./]+)"/));
  await learner.ticked('myapp2-ipv4-read');

  await learner.type('server01', 'docker run -d --name lonely --network none mycontainer:5.6');
  await learner.ticked('none-network-container');
  await learner.type('server01', 'docker exec lonely ifconfig');
  await learner.ticked('none-network-inside');
  await learner.type('server01', 'docker run -d --name athome --network host mycontainer:5.6');
  await learner.ticked('host-network-container');
  await learner.type('server01', 'docker exec athome ifconfig');
  await learner.ticked('host-network-inside');

  await learner.type('server01', 'docker network create mynet');
  await learner.ticked('own-bridge-created');
  await learner.type('server01', 'docker run -d --name web1 --network mynet mycontainer:5.6');
  await learner.type('server01', 'docker run -d --name web2 --network mynet mycontainer:5.6');
  await learner.ticked('own-bridge-container');
  await learner.type('server01', 'docker exec web1 ping -c 1 web2');
  await learner.ticked('found-by-name');

  await expect(learner.page.getByText('23 of 23', { exact: true }).first()).toBeVisible();
  await learner.page.reload();
  await expect(learner.page.getByText('23 of 23', { exact: true }).first()).toBeVisible();
});
