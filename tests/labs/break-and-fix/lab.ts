import { asBefore, check, container, defineLab, on, reaches } from '#lab';

const IMAGE = 'mycontainer:5.6';
const RULE = 'DOCKER-USER -p tcp -m tcp --dport 80';

/** A shop that was in order once: three things are wrong with it, and stand on no page. */
export const lab = defineLab({
  title: 'Break and fix',
  hosts: {
    server01: {
      address: '10.1.10.11/24',
      engine: true,
      images: [IMAGE],
      setup: [
        'docker network create shop && docker network create yard',
        `docker run -d --name web --restart unless-stopped --network shop -p 80:80 ${IMAGE}`,
        `docker run -d --name app --restart unless-stopped --network yard ${IMAGE}`,
        `iptables -I ${RULE} -j DROP`,
        'sysctl -qw net.ipv4.icmp_echo_ignore_all=1',
      ],
    },
    client: { address: '10.1.10.100/24' },
  },
  images: { [IMAGE]: 'mycontainer' },
  browser: 'client',
  sections: [
    {
      page: 'mend',
      title: 'Mend it',
      anyOrder: true,
      checks: [
        check('answers', {
          title: 'server01 answers the client’s ping',
          test: reaches('10.1.10.11').from('client'),
          mistakes: [
            {
              what: 'the rules of the firewall let it in, which never kept it out',
              actions: [on('server01', 'sudo iptables -I INPUT -p icmp -j ACCEPT')],
              says: asBefore,
              undo: [on('server01', 'sudo iptables -D INPUT -p icmp -j ACCEPT')],
            },
            {
              what: 'a rule that says no',
              actions: [
                on(
                  'server01',
                  'sudo sysctl -qw net.ipv4.icmp_echo_ignore_all=0 && sudo iptables -I INPUT -p icmp --icmp-type echo-request -j REJECT',
                ),
              ],
              says: 'A rule in the firewall of server01 rejects',
              undo: [
                on(
                  'server01',
                  'sudo sysctl -qw net.ipv4.icmp_echo_ignore_all=1 && sudo iptables -D INPUT -p icmp --icmp-type echo-request -j REJECT',
                ),
              ],
            },
          ],
          solution: [on('server01', 'sudo sysctl -w net.ipv4.icmp_echo_ignore_all=0')],
        }),
        check('joined', {
          title: 'web reaches app by its name',
          test: reaches('app').from(container('web').on('server01')),
          mistakes: [
            {
              what: 'app started again',
              actions: [on('server01', 'docker restart -t 0 app')],
              says: asBefore,
            },
          ],
          alternatives: [
            {
              what: 'web joins the yard',
              actions: [on('server01', 'docker network connect yard web')],
            },
          ],
          solution: [on('server01', 'docker network connect shop app')],
        }),
        check('opened', {
          title: 'The shop is open: the client gets through to port 80',
          test: reaches('10.1.10.11:80').from('client'),
          mistakes: [
            {
              what: 'refused in place of dropped',
              actions: [on('server01', `sudo iptables -R ${RULE.replace(' ', ' 1 ')} -j REJECT`)],
              says: 'or a firewall rejects it',
              undo: [on('server01', `sudo iptables -R ${RULE.replace(' ', ' 1 ')} -j DROP`)],
            },
          ],
          alternatives: [
            { what: 'all rules', actions: [on('server01', 'sudo iptables -F DOCKER-USER')] },
          ],
          solution: [on('server01', `sudo iptables -D ${RULE} -j DROP`)],
        }),
      ],
    },
  ],
});
