using System.Globalization;
using JobHost.Conformance.Trials;

namespace JobHost.Conformance;

/// <summary>What the suite is asked to do.</summary>
internal sealed record Settings
{
    internal static readonly IReadOnlyList<string> AllTiers = ["pidns", "cgroup", "sweep", "group"];

    internal const string Usage = """
        JobHost kill conformance suite: every misbehaviour, every tier, every way to stop.

          [run]                    score a server of the suite's own, tier by tier
          chaos                    kill hosts and keepers at random moments, with many trees running

          --server FILE            the server's program; default: the one built beside the suite
          --url URL --config FILE  score a node that runs with the configuration that was written to FILE
          --write-config FILE      write that configuration (and the victims, to FILE.victims) and exit

          --tiers A,B              pidns, cgroup, sweep, group; default all
          --victims A,B            only these
          --without A,B            not these
          --ways A,B               natural, cancel, kill, kill-at-start, timeout, host-kill, host-terminate, keeper-kill,
                                   host-and-keeper-kill; default: short mode's choice; in chaos, all of the three kills
          --repeats N              long mode: every victim in every way, N times
          --parallel N             light victims at once; default 4
          --large MIB              how much memory the large victim takes; default 512
          --unprivileged           the server runs as an ordinary user
          --cage                   the server runs with what a default container leaves
          --rounds N --trees N     chaos: default 5 rounds of 50 trees
          --spawns N               chaos of another kind: N hosts are killed while they start workers
          --json FILE              write the scores there, too

        Exit code: 0 flawless, 1 a promise was broken, 2 it could not be tried.
        """;

    public string Verb { get; init; } = "run";

    public string? Server { get; init; }

    public Uri? Url { get; init; }

    public string? ConfigFile { get; init; }

    public string? WriteConfig { get; init; }

    public IReadOnlyList<string> Tiers { get; init; } = AllTiers;

    public IReadOnlyList<string> Victims { get; init; } = [];

    public IReadOnlyList<string> Without { get; init; } = [];

    public IReadOnlyList<Way> Ways { get; init; } = [];

    /// <summary>Null: short mode.</summary>
    public int? Repeats { get; init; }

    public int Parallel { get; init; } = 4;

    public int LargeMebibytes { get; init; } = 512;

    public bool Unprivileged { get; init; }

    public bool Cage { get; init; }

    public int Rounds { get; init; } = 5;

    public int Trees { get; init; } = 50;

    /// <summary>Null: chaos with trees.</summary>
    public int? Spawns { get; init; }

    public string? Json { get; init; }

    public bool IsLong => Repeats is not null;

    /// <exception cref="SuiteException">An argument that is not understood.</exception>
    internal static Settings Parse(IReadOnlyList<string> arguments)
    {
        var settings = new Settings();
        var rest = new Queue<string>(arguments);
        if (rest.TryPeek(out var verb) && !verb.StartsWith('-'))
        {
            settings = settings with { Verb = rest.Dequeue() };
        }
        while (rest.TryDequeue(out var option))
        {
            string Value() =>
                rest.TryDequeue(out var value) ? value : throw new SuiteException($"{option} needs a value");
            int Number() =>
                int.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                    ? number
                    : throw new SuiteException($"{option} needs a number above 0");
            string[] Names(IEnumerable<string> known)
            {
                var names = Value().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                return names.FirstOrDefault(name => !known.Contains(name, StringComparer.Ordinal)) is { } unknown
                    ? throw new SuiteException($"{option}: there is no '{unknown}'")
                    : names;
            }
            settings = option switch
            {
                "--server" => settings with { Server = Path.GetFullPath(Value()) },
                "--url" => settings with { Url = new(Value()) },
                "--config" => settings with { ConfigFile = Path.GetFullPath(Value()) },
                "--write-config" => settings with { WriteConfig = Path.GetFullPath(Value()) },
                "--tiers" => settings with { Tiers = Names(AllTiers) },
                "--victims" => settings with { Victims = Value().Split(',') },
                "--without" => settings with { Without = Value().Split(',') },
                "--ways" => settings with
                {
                    Ways = [.. Names(Enum.GetValues<Way>().Select(way => way.Name())).Select(WayNamed)],
                },
                "--repeats" => settings with { Repeats = Number() },
                "--parallel" => settings with { Parallel = Number() },
                "--large" => settings with { LargeMebibytes = Number() },
                "--unprivileged" => settings with { Unprivileged = true },
                "--cage" => settings with { Cage = true },
                "--rounds" => settings with { Rounds = Number() },
                "--trees" => settings with { Trees = Number() },
                "--spawns" => settings with { Spawns = Number() },
                "--json" => settings with { Json = Path.GetFullPath(Value()) },
                _ => throw new SuiteException($"there is no option '{option}'\n{Usage}"),
            };
        }
        return settings.Verb is "run" or "chaos"
            ? settings
            : throw new SuiteException($"there is no verb '{settings.Verb}'\n{Usage}");
    }

    private static Way WayNamed(string name) => Enum.GetValues<Way>().First(way => way.Name() == name);
}
