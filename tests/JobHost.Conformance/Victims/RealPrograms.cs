namespace JobHost.Conformance.Victims;

/// <summary>
/// Programs that people do run, where they are installed: daemons that leave whoever started them, and trees of many. The
/// main process stays, or ends with exit code 7 and leaves them behind.
/// </summary>
internal static class RealPrograms
{
    // Sockets go by relative paths: a socket's whole path may have no more than 107 characters.
    private const string Begin = "set -e; mkdir -p \"$1\"; cd \"$1\"; ";

    private const string End =
        "\necho 1 > \"$3.part\"; mv \"$3.part\" \"$3\"; case \"$2\" in *leave*) exit 7;; esac; exec sleep 300";

    private static readonly (string Program, string What, string Script)[] Known =
    [
        (
            "redis-server",
            "a daemonised redis-server",
            """
            redis-server --port 0 --unixsocket socket --dir "$1" --daemonize yes --pidfile pid > redis.log
            until [ -S socket ]; do sleep 0.02; done
            """
        ),
        (
            "nginx",
            "nginx with 4 workers, as a daemon",
            """
            printf '%s\n' 'worker_processes 4; pid nginx.pid; error_log error.log;' 'events {}' > nginx.conf
            nginx -p "$1" -c nginx.conf 2>/dev/null
            until [ -s nginx.pid ]; do sleep 0.02; done
            """
        ),
        (
            "pg_ctl",
            "PostgreSQL by pg_ctl start",
            """
            as=''; if [ "$(id -u)" = 0 ]; then chown 1000:1000 .; as='setpriv --reuid=1000 --regid=1000 --clear-groups'; fi
            $as initdb -D data -A trust -N > initdb.log 2>&1
            $as pg_ctl start -W -D data -l server.log -o '-c listen_addresses= -c unix_socket_directories=.' > start.log
            until grep -q 'ready to accept' server.log; do sleep 0.05; done
            """
        ),
        (
            "tmux",
            "a tmux server with 3 windows",
            """
            tmux -S ./socket -f /dev/null new-session -d 'sleep 300'
            tmux -S ./socket new-window 'sleep 300'
            tmux -S ./socket new-window 'sleep 300'
            """
        ),
        (
            "chromium",
            "a headless browser",
            """
            HOME="$1" TMPDIR=. chromium --headless --no-sandbox --disable-gpu --user-data-dir="$1/profile" --remote-debugging-port=0 \
              about:blank > out.log 2>&1 &
            until [ -s profile/DevToolsActivePort ]; do sleep 0.05; done
            """
        ),
        (
            "make",
            "make -j with 40 recipes",
            """
            printf 'all: %s\n%%.t:\n\tsleep 300\n' "$(seq -s' ' -f'%g.t' 40)" > Makefile
            make -j 40 > make.log 2>&1 &
            until [ "$(grep -c sleep make.log)" -ge 40 ]; do sleep 0.02; done
            """
        ),
    ];

    /// <summary>Those that are installed here.</summary>
    internal static IEnumerable<Victim> Installed() =>
        Known
            .Where(program => Find(program.Program))
            .Select(program => new Victim($"real-{program.Program.Replace('_', '-')}", program.What, "script")
            {
                Script = Begin + program.Script + End,
                CountIsExact = false,
            });

    /// <summary>Those that are not.</summary>
    internal static IEnumerable<string> Missing() =>
        Known.Select(program => program.Program).Where(program => !Find(program));

    private static bool Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':')
            .Where(Path.IsPathRooted)
            .Any(folder => File.Exists(Path.Combine(folder, program)));
}
