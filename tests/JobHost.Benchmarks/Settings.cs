using System.Globalization;
using System.Reflection;

namespace JobHost.Benchmarks;

/// <summary>What is to be measured, and how often.</summary>
internal sealed record Settings
{
    internal const string Usage = """
        JobHost benchmarks: what the product costs beside what the machine itself costs, in the same run.

          SCENARIO,... | all    what to measure
          --rounds N            interleaved rounds; default 100
          --records N           runs that a node has behind it, at most; default 1000000
          --tiers A,B           cgroup, pidns, sweep, group; default all
          --json FILE           write the figures there, too
          --svg FILE            draw them there, too
          --server FILE         the server's program; default: the one built beside

        Scenarios:
        """;

    private static readonly string[] AllTiers = ["cgroup", "pidns", "sweep", "group"];

    public required IReadOnlyList<IScenario> Scenarios { get; init; }

    public int Rounds { get; init; } = 100;

    public int Records { get; init; } = 1_000_000;

    public IReadOnlyList<string> Tiers { get; init; } = AllTiers;

    public string? Json { get; init; }

    public string? Svg { get; init; }

    public string Server { get; init; } =
        Assembly
            .GetExecutingAssembly()
            .GetCustomAttributes<AssemblyMetadataAttribute>()
            .First(attribute => attribute.Key == "Server")
            .Value!;

    /// <exception cref="BenchmarkException">An argument that is not understood.</exception>
    internal static Settings Parse(IReadOnlyList<string> arguments, IReadOnlyList<IScenario> scenarios)
    {
        var rest = new Queue<string>(arguments);
        var settings = new Settings { Scenarios = ScenariosOf(rest.Dequeue(), scenarios) };
        while (rest.TryDequeue(out var option))
        {
            if (!rest.TryDequeue(out var value))
            {
                throw new BenchmarkException($"{option} needs a value");
            }
            settings = option switch
            {
                "--rounds" => settings with { Rounds = Number(option, value) },
                "--records" => settings with { Records = Number(option, value) },
                "--tiers" => settings with { Tiers = TiersOf(value) },
                "--json" => settings with { Json = Path.GetFullPath(value) },
                "--svg" => settings with { Svg = Path.GetFullPath(value) },
                "--server" => settings with { Server = Path.GetFullPath(value) },
                _ => throw new BenchmarkException($"there is no option '{option}'"),
            };
        }
        return settings;
    }

    private static int Number(string option, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new BenchmarkException($"{option} needs a number above 0");

    private static IReadOnlyList<IScenario> ScenariosOf(string names, IReadOnlyList<IScenario> scenarios) =>
        names == "all"
            ? scenarios
            :
            [
                .. names
                    .Split(',')
                    .Select(name =>
                        scenarios.FirstOrDefault(scenario => scenario.Name == name)
                        ?? throw new BenchmarkException($"there is no scenario '{name}'")
                    ),
            ];

    private static string[] TiersOf(string value)
    {
        var tiers = value.Split(',');
        return tiers.FirstOrDefault(tier => !AllTiers.Contains(tier, StringComparer.Ordinal)) is { } unknown
            ? throw new BenchmarkException($"there is no tier '{unknown}'")
            : tiers;
    }
}
