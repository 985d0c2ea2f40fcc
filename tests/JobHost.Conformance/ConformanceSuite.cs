using System.Reflection;
using JobHost.Conformance.Nodes;
using JobHost.Conformance.Proof;
using JobHost.Conformance.Scores;
using JobHost.Conformance.Trials;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance;

/// <summary>The suite as a whole: builds the victims, scores each tier, and leaves nothing behind.</summary>
internal static class ConformanceSuite
{
    private const string CgroupMounts = "/proc/mounts";
    private const int OrdinaryUser = 1000;

    /// <summary>Why the suite cannot run on this machine, or null.</summary>
    internal static string? Obstacle() =>
        !OperatingSystem.IsLinux() ? "The suite looks at processes through /proc, which only Linux has."
        : VictimProgram.Compiler() is null
            ? "No C compiler is installed (cc, gcc or clang), and the victims are a C program."
        : null;

    internal static async Task<Scoreboard> RunAsync(
        Settings settings,
        TextWriter writer,
        CancellationToken cancellationToken
    )
    {
        if (Obstacle() is { } obstacle)
        {
            throw new SuiteException(obstacle);
        }
        await using var program = settings.Url is null
            ? await VictimProgram.BuildAsync(null, cancellationToken)
            : VictimProgram.Existing(FolderOf(settings.ConfigFile ?? throw new SuiteException("--url needs --config")));
        // Only where nobody else has begun a server already, whose workers would not see the mount.
        await using var frozen = settings is { IsLong: true, Url: null, Unprivileged: false, Cage: false }
            ? await FrozenFileSystem.MountAsync(program.Root)
            : null;
        var victims = Playable(settings, frozen);
        foreach (
            var unknown in settings
                .Victims.Concat(settings.Without)
                .Except(victims.Select(victim => victim.Name), StringComparer.Ordinal)
        )
        {
            throw new SuiteException($"there is no victim '{unknown}', or it cannot play here");
        }
        foreach (var missing in settings.IsLong ? RealPrograms.Missing() : [])
        {
            await writer.WriteLineAsync($"'{missing}' is not installed, and is left out.");
        }
        var board = new Scoreboard([.. victims.Select(victim => victim.Name)]);
        var holds = new Holds(frozen);
        if (settings.Url is { } url)
        {
            using var api = new NodeApi(url);
            var tier =
                await api.GuaranteeAsync(VictimCatalogue.Neighbour)
                ?? throw new SuiteException(
                    $"the node at {url} does not know the victims: start it with {settings.ConfigFile}"
                );
            await Session(tier).RunAsync(api);
            return board;
        }
        var config = Path.Combine(program.Root, "jobhost.json");
        await NodeConfiguration.WriteAsync(config, program, victims);
        foreach (var tier in settings.Tiers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var setup = new ServerSetup(ServerOf(settings), config, tier, Wrapper(settings, program));
            if (settings.Verb == "chaos")
            {
                var light = victims
                    .Where(victim => victim is { EndsWithHost: true, IsHeavy: false, IsReal: false })
                    .ToList();
                await (
                    settings.Spawns is { } spawns
                        ? new SpawnKills(Ground(tier), light, setup, board, writer).RunAsync(spawns, cancellationToken)
                        : new Chaos(Ground(tier), light, settings.Ways, settings.Trees, setup, board, writer).RunAsync(
                            settings.Rounds,
                            cancellationToken
                        )
                );
            }
            else
            {
                await Session(tier).RunAsync(setup);
            }
        }
        return board;

        TrialGround Ground(string tier) => new(program, new ProcessOracle(program), holds, tier);

        TierSession Session(string tier) =>
            new(
                TrialPlan.For(settings, victims, ownsServer: settings.Url is null),
                Ground(tier),
                board,
                AsUser(settings, program),
                writer,
                cancellationToken
            );
    }

    /// <summary>Writes the configuration for a node that somebody else starts.</summary>
    internal static async Task WriteConfigAsync(Settings settings, CancellationToken cancellationToken)
    {
        var program = await VictimProgram.BuildAsync(FolderOf(settings.WriteConfig!), cancellationToken);
        await NodeConfiguration.WriteAsync(settings.WriteConfig!, program, Playable(settings, frozen: null));
    }

    private static string FolderOf(string config) => config + ".victims";

    private static IReadOnlyList<Victim> Playable(Settings settings, FrozenFileSystem? frozen) =>
        [
            .. VictimCatalogue
                .All(
                    MountOf("cgroup2"),
                    MountOf("cgroup", "freezer"),
                    frozen?.Folder,
                    settings.LargeMebibytes,
                    settings.IsLong
                )
                .Where(victim =>
                    victim.NeedsRootAnd is not { } folder
                    || (Environment.IsPrivilegedProcess && !settings.Unprivileged && Directory.Exists(folder))
                ),
        ];

    private static string? MountOf(string type, string option = "") =>
        File.ReadLines(CgroupMounts)
            .Select(line => line.Split(' '))
            .FirstOrDefault(fields =>
                fields[2] == type && fields[3].Split(',').Contains(option.Length > 0 ? option : "rw")
            )
            ?[1];

    private static string ServerOf(Settings settings)
    {
        var beside = Path.Combine(AppContext.BaseDirectory, "JobHost.Server");
        var built = typeof(ConformanceSuite)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .First(attribute => attribute.Key == "Server")
            .Value!;
        var server = settings.Server ?? (File.Exists(beside + ".dll") ? beside : Path.GetFullPath(built));
        return File.Exists(server)
            ? server
            : throw new SuiteException($"there is no server '{server}'. Build it, or give --server.");
    }

    private static IReadOnlyList<string> Wrapper(Settings settings, VictimProgram program) =>
        [.. settings.Cage ? new[] { program.File, "cage" } : [], .. AsUser(settings, program)];

    private static string[] AsUser(Settings settings, VictimProgram program) =>
        settings.Unprivileged ? [program.File, "as", $"{OrdinaryUser}", $"{OrdinaryUser}"] : [];
}
