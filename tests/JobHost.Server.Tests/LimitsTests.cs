using System.Net;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>A run that uses more than it may is ended and says of which limit, whoever sees to it.</summary>
public abstract class LimitsTests
{
    private const string Limit = "limit-exceeded";
    private const long Mebibyte = 1 << 20;

    // Each does it without an end, and none ends by itself.
    private static readonly Dictionary<string, (string Script, string Limit, string Value)> Victims = new()
    {
        ["memoryBytes"] = ("exec dd if=/dev/zero of=/dev/null bs=400M", "MemoryBytes", $"{200 * Mebibyte}"),
        ["processes"] = ("while :; do sleep 600 & done", "Processes", "20"),
        ["outputBytes"] = ("while :; do echo all work and no play; done", "OutputBytes", "100000"),
        ["artifactBytes"] = (
            "cd $JOBHOST_ARTIFACTS; mkdir deep; while :; do head -c 9000 /dev/zero >>deep/file; sleep 0.05; done",
            "ArtifactBytes",
            "100000"
        ),
        ["cpuSeconds"] = ("while :; do :; done", "CpuTime", "00:00:00.600"),
    };

    private readonly ApiClient api;

    protected LimitsTests(InProcessServer server)
    {
        Needs.Linux();
        api = server.Api;
    }

    public static TheoryData<string> Limits => [.. Victims.Keys];

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Limits))]
    public async Task A_run_that_exceeds_a_limit_has_failed_of_it_and_is_gone(string limit)
    {
        var (_, job) = await api.GetAsync($"/jobs/{Job(limit)}", HttpStatusCode.OK);
        Assert.Equal(await EnforcerAsync(limit), job.GetProperty("limits").Text(limit, "enforcedBy"));

        var id = await api.StartAsync(Job(limit));
        var run = await api.EndAsync(id);

        Assert.Equal(Limit, run.Text("error", "type"));
        Assert.StartsWith(limit, run.Text("error", "message"));
        await ProcessScan.NothingLeftAsync(id, worker: null, []);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_has_left_too_much_when_it_ends_by_itself_has_failed_of_it()
    {
        var run = await api.RunAsync("leaves-too-much");

        Assert.Equal(("failed", Limit), (run.Text("state"), run.Text("error", "type")));
        Assert.StartsWith("artifactBytes", run.Text("error", "message"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_uses_up_its_descriptors_has_failed_of_that()
    {
        var id = await api.StartAsync("p-opens-files");

        var run = await api.EndAsync(id);

        Assert.Equal(Limit, run.Text("error", "type"));
        Assert.StartsWith("openFiles", run.Text("error", "message"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_keeps_to_its_limits_is_left_alone()
    {
        var id = await api.StartAsync("keeps-to-limits");

        var run = await api.EndAsync(id);

        Assert.Equal("0", run.Text("exitCode"));
        Assert.Contains("300", await api.LogAsync(id, "stdout"), StringComparison.Ordinal);
        Assert.Empty(GroupsOf(id));
    }

    [Fact(Timeout = 120_000)]
    public async Task The_kernel_has_the_share_of_a_run_that_it_sees_to()
    {
        var id = await api.StartAsync("sleeps-within-limits");
        await api.UntilAsync(id, "running");

        var (_, job) = await api.GetAsync("/jobs/sleeps-within-limits", HttpStatusCode.OK);
        var share = GroupsOf(id)
            .Select(group => (V1: Path.Join(group, "cpu.cfs_quota_us"), V2: Path.Join(group, "cpu.max")))
            .Select(file => File.Exists(file.V1) ? file.V1 : file.V2)
            .Where(File.Exists)
            .Select(file => File.ReadAllText(file).Split()[0]);
        if (job.GetProperty("limits").Text("processors", "enforcedBy") == "kernel")
        {
            Assert.Contains("200000", share);
        }
        else
        {
            Assert.Equal("none", job.GetProperty("limits").Text("processors", "enforcedBy"));
            Assert.DoesNotContain("200000", share);
        }
        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_person_who_kills_a_run_with_limits_is_the_one_who_ended_it()
    {
        var id = await api.StartAsync("sleeps-within-limits");
        await api.UntilAsync(id, "running");

        await Stops.IsGoneAsync(api, await api.StopAsync(id), "killed");
    }

    protected abstract string Expected(string limit);

    private async Task<string> EnforcerAsync(string limit)
    {
        var (_, node) = await api.GetAsync($"/nodes/{Environment.MachineName}", HttpStatusCode.OK);
        var enforcer = node.GetProperty("processes").Text("limits", limit);
        Assert.Equal(Expected(limit) is var expected and not "" ? expected : enforcer, enforcer);
        return enforcer;
    }

    private static IEnumerable<string> GroupsOf(string id) =>
        new[] { "memory", "pids", "cpu", "cpuacct", "unified" }
            .Select(hierarchy => $"/sys/fs/cgroup/{hierarchy}")
            .Where(Directory.Exists)
            .SelectMany(root =>
                Directory.EnumerateDirectories(root, $"{id.Replace("-", "")}*", SearchOption.AllDirectories)
            );

    private static string Job(string limit) => $"exceeds-{limit.ToLowerInvariant()}";

    private static Dictionary<string, string> Settings()
    {
        var settings = new Dictionary<string, string>();
        void Add(string name, string script, params (string Limit, string Value)[] limits)
        {
            foreach (var (key, value) in Commands.Script(name, script))
            {
                settings[key] = value;
            }
            foreach (var (limit, value) in limits)
            {
                settings[$"JobHost:Commands:{name}:Limits:{limit}"] = value;
            }
        }

        foreach (var (name, (script, limit, value)) in Victims)
        {
            Add(Job(name), script, (limit, value));
        }
        (string, string)[] wide =
        [
            ("MemoryBytes", $"{1024 * Mebibyte}"),
            ("Processes", "100"),
            ("OpenFiles", "300"),
            ("OutputBytes", "1000"),
            ("ArtifactBytes", "100000"),
            ("CpuTime", "01:00:00"),
            ("Processors", "2"),
        ];
        Add("keeps-to-limits", "ulimit -n; head -c 100000 /dev/zero >$JOBHOST_ARTIFACTS/file; sleep 0.7", wide);
        Add(
            "leaves-too-much",
            "ln -s /proc/self/exe $JOBHOST_ARTIFACTS/link; head -c 100001 /dev/zero >$JOBHOST_ARTIFACTS/file",
            ("ArtifactBytes", "100000")
        );
        Add("sleeps-within-limits", "exec sleep 600", wide);
        return settings;
    }

    /// <summary>With the kernel's help, where it gives some.</summary>
    public sealed class WithControllers(WithControllers.Server server)
        : LimitsTests(server),
            IClassFixture<WithControllers.Server>
    {
        // What it is depends on the machine; the node says so, and the drill above checks that it holds.
        protected override string Expected(string limit) => "";

        public sealed class Server() : InProcessServer(Settings());
    }

    /// <summary>Without the kernel's help.</summary>
    public sealed class Watched(Watched.Server server) : LimitsTests(server), IClassFixture<Watched.Server>
    {
        protected override string Expected(string limit) => limit == "outputBytes" ? "host" : "watch";

        public sealed class Server() : InProcessServer(new(Settings()) { ["JobHost:Limits:UseControllers"] = "false" });
    }
}
