import { asBefore, check, defineLab, file, interrupt, listens, on, user, visited } from '#lab';

/** One host without an engine, made from an image of the lab's own: users, modes, a port, a service. */
export const lab = defineLab({
  title: 'Linux basics',
  hosts: {
    server01: {
      address: '10.1.10.11/24',
      image: './host',
      setup: ['groupadd dev'],
      services: { cron: 'exec cron -f' },
    },
  },
  browser: 'server01',
  sections: [
    {
      page: 'basics',
      title: 'Basics',
      checks: [
        check('anna', {
          title: 'There is a user anna, in the group dev',
          test: user('anna').on('server01').inGroup('dev'),
          mistakes: [
            {
              what: 'in no other group',
              actions: [on('server01', 'sudo useradd -m anna')],
              says: 'not in dev',
              undo: [on('server01', 'sudo userdel -r anna')],
            },
          ],
          alternatives: [
            {
              what: 'one after the other',
              actions: [on('server01', 'sudo useradd -m anna && sudo usermod -aG dev anna')],
            },
          ],
        }),
        check('notes', {
          title: 'Her notes are hers, and those of dev may read them',
          test: file('/srv/notes.txt')
            .on('server01')
            .says(/^hello/)
            .ownedBy('anna', 'dev')
            .hasMode('640'),
          mistakes: [
            {
              what: 'root’s',
              actions: [on('server01', 'echo hello | sudo tee /srv/notes.txt')],
              says: 'belongs to root',
              undo: [on('server01', 'sudo rm /srv/notes.txt')],
            },
            {
              what: 'for everybody to read',
              actions: [
                on(
                  'server01',
                  'echo hello | sudo tee /srv/notes.txt; sudo chown anna:dev /srv/notes.txt',
                ),
              ],
              says: 'the mode 644, not 640',
              undo: [on('server01', 'sudo rm /srv/notes.txt')],
            },
          ],
        }),
        check('web', {
          title: 'A web server listens on port 8080, for everybody',
          test: listens(8080).on('server01').by('python3').onEveryAddress(),
          mistakes: [
            {
              what: 'for this host alone',
              actions: [
                on('server01', 'python3 -m http.server 8080 --bind 127.0.0.1', { stays: true }),
              ],
              says: 'bound to 127.0.0.1',
              undo: [interrupt('server01')],
            },
          ],
        }),
        check('listed', {
          title: 'You saw the list of files',
          test: visited('http://10.1.10.11:8080').showing(/notes\.txt/),
        }),
        check('cron', {
          title: 'cron writes a line for anna every night at four',
          test: file('/var/spool/cron/crontabs/anna')
            .on('server01')
            // Not every minute: what cron writes while checks are tested is taken for their doing.
            .says(/^0 4 \* \* \* .*beat/m),
          mistakes: [
            {
              what: 'in the learner’s own table',
              actions: [on('server01', `echo '0 4 * * * date >> /tmp/beat' | crontab -`)],
              says: asBefore,
              undo: [on('server01', 'crontab -r')],
            },
          ],
        }),
      ],
    },
  ],
});
