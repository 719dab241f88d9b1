import { expect, test } from './learner.ts';

test('the usual mistakes are named, each in its own words, with a way out that mends it', async ({
  learner,
}) => {
  await learner.goTo('ephemeral-ports/');
  const step = 'myapp2-on-ephemeral-port';

  await learner.type('server01', 'docker run -d --name myapp2 -p 8080:80 mycontainer:5.6');
  await learner.notYet(step, 'fixed port 8080');

  await learner.type(
    'server01',
    'docker rm -f myapp2; docker run -d --name myapp -p :80 mycontainer:5.6',
  );
  await learner.notYet(step, 'its name is myapp');

  await learner.type(
    'server01',
    'docker rm -f myapp; docker create --name myapp2 -p :80 mycontainer:5.6',
  );
  await learner.notYet(step, 'never started');

  await learner.type(
    'server01',
    'docker rm -f myapp2; docker run -d --name myapp2 mycontainer:5.6',
  );
  await learner.notYet(step, 'publishes no port');

  await learner.check(step).getByRole('button', { name: /run/i }).click();
  await learner.ticked(step);

  await learner.answer('myapp2-port-read', '80');
  await learner.notYet('myapp2-port-read', 'Port 80 is inside the container');
  await learner.visit('http://10.1.10.12:32768');
  await learner.notYet('myapp2-page-opened', 'That was server02');
  await learner.notYet('myapp2-restarted', 'has not been restarted yet');
});

test('a step that was done stays done, and says what has become of it since', async ({
  learner,
}) => {
  await learner.goTo('ephemeral-ports/');
  const step = 'myapp2-on-ephemeral-port';
  await learner.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await learner.ticked(step);
  await learner.type('server01', 'docker rm -f myapp2');
  await expect(learner.check(step)).toContainText('Since then: No container named myapp2');
  await learner.ticked(step);
  await learner.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await expect(learner.check(step)).not.toContainText('Since then');
});

test('a route by the wrong host, or with the wrong mask, is told apart from none', async ({
  learner,
}) => {
  await learner.goTo('linux-bridge/');
  const step = 'client-route';
  await learner.notYet(step, 'no route to 172.17.0.0/16');
  await learner.type('client', 'route add 172.17.0.0 mask 255.255.0.0 10.1.10.12');
  await learner.notYet(step, 'server02');
  await learner.type(
    'client',
    'route delete 172.17.0.0; route add 172.17.0.0 mask 255.255.255.0 10.1.10.11',
  );
  await learner.notYet(step, 'mask is too narrow');
  await learner.type(
    'client',
    'route delete 172.17.0.0; sudo ip route add 172.17.0.0/16 via 10.1.10.11',
  );
  await learner.ticked(step);
});

test('what the pane cannot show is told apart as a browser would', async ({ learner }) => {
  await learner.goTo('ephemeral-ports/');
  const panel = learner.page.locator('.panel:visible');
  await learner.visit('10.1.10.11:9');
  await expect(panel).toContainText('refused to connect');
  await learner.visit('http://172.17.0.2');
  await expect(panel).toContainText('unreachable');
  await learner.visit('http://server09/');
  await expect(panel).toContainText('server09');
  const drop = 'sudo iptables -I INPUT -p tcp --dport 81 -j DROP';
  await learner.type('server01', `${drop} && echo port-$((80 + 1))`);
  await learner.read(/(port-81)/);
  await learner.visit('10.1.10.11:81');
  await expect(panel).toContainText('took too long');
});

test('a page of https is shown, and the pane says what it cannot check or give', async ({
  learner,
}) => {
  await learner.goTo('ephemeral-ports/');
  const panel = learner.page.locator('.panel:visible');
  const page = '<h1>kept</h1><script>localStorage.a = 1</script>';
  await learner.type(
    'server01',
    `openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 1 -subj /CN=x 2> /dev/null; cat k c > kc; printf 'HTTP/1.0 200 OK\\n\\n${page}' > page; socat OPENSSL-LISTEN:8443,fork,reuseaddr,cert=kc,verify=0 SYSTEM:'read -r x; cat page' & sleep 1; echo "it" "listens"`,
  );
  await expect(learner.terminal).toContainText('it listens');
  await learner.visit('https://10.1.10.11:8443');
  await expect(panel.frameLocator('iframe').locator('h1')).toHaveText('kept');
  await expect(panel).toContainText('not verified');
  await expect(panel).toContainText('What this page stores');
  await learner.visit('http://10.1.10.11:8443');
  await expect(panel).toContainText('sent no page');
  await expect(panel.getByText('not verified')).toBeHidden();
});
