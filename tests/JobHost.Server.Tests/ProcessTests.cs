using System.Globalization;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>
/// A worker may do what it likes: the host lives, says how it died, and nothing of its tree survives. What is alive is looked
/// at by <see cref="ProcessScan"/>, not asked of the product.
/// </summary>
public abstract class ProcessTests
{
    private readonly ApiClient api;
    private readonly Witness witness = new();

    protected ProcessTests(InProcessServer server)
    {
        Needs.Linux();
        api = server.Api;
    }

    /// <summary>Whether a worker is the first process of a namespace: the kernel spares it what only asks it to abort.</summary>
    private async Task<bool> HasOwnNamespaceAsync() => await TierAsync() == "pidns";

    private async Task<string> TierAsync() =>
        (await api.FetchAsync("/api/v1/jobs/p-ignores")).Expect(200).Text("killGuarantee");

    [Theory(Timeout = 120_000)]
    [InlineData("p-exits", 7, null)]
    [InlineData("p-exits", 0, null)]
    [InlineData("p-crashes", null, "SIGABRT")]
    [InlineData("p-stack-overflow", null, "SIGABRT")]
    [InlineData("p-unhandled", null, "SIGABRT")]
    [InlineData("p-segfault", null, "SIGSEGV")]
    public async Task A_worker_that_dies_has_failed_the_run_and_the_run_says_how_it_died(
        string job,
        int? code,
        string? signal
    )
    {
        object parameters = code is null ? new { } : new { code };
        var run = await api.RunAsync(job, parameters);

        Assert.True(ApiClient.Is(run, "failed"), run.ToString());
        Assert.Equal("worker-died", run.Text("error", "type"));
        Assert.Equal(code?.ToString(CultureInfo.InvariantCulture) ?? "", run.Text("exitCode"));
        if (signal == "SIGABRT" && await HasOwnNamespaceAsync())
        {
            // The C library's last resort.
            signal = "SIGSEGV";
        }
        Assert.Equal(signal ?? "", run.Text("signal"));
        Assert.Contains(signal ?? $"code {code}", run.Text("error", "message"), StringComparison.Ordinal);
        await NothingLeftAsync(run);
        Assert.True(ApiClient.Is(await api.RunAsync("p-result"), "succeeded"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("p-crashes", "Crashed on purpose.")]
    [InlineData("p-unhandled", "Thrown on another thread on purpose.")]
    public async Task The_last_words_of_a_worker_are_kept(string job, string words)
    {
        var run = await api.RunAsync(job);

        Assert.Contains(words, await api.LogAsync(run.Text("id"), "stderr"), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_tells_its_progress_its_log_and_its_result()
    {
        var run = await api.RunAsync("p-result", new { text = "Grüße" });

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.Equal("Grüße", run.Text("result", "text"));
        Assert.Equal(await HasOwnNamespaceAsync() ? "1" : run.Text("processId"), run.Text("result", "pid"));
        Assert.Equal(run.Text("id"), run.Text("result", "runId"));
        Assert.Equal(("50", "Half way"), (run.Text("progress", "percent"), run.Text("progress", "message")));
        Assert.Contains("Grüße", await api.LogAsync(run.Text("id")), StringComparison.Ordinal);
        Assert.Equal("0", run.Text("leaked"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_cancel_reaches_the_job_in_its_worker()
    {
        var id = await api.StartAsync("p-obeys", new { marker = witness.Marker });
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.CancelAsync(id));

        var run = await api.EndAsync(id);
        var receipt = await Stops.IsGoneAsync(api, run, "cancelled");
        Assert.Equal(["cancel: ended"], Stops.Rungs(receipt));
        await NothingLeftAsync(run);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_process_that_ignores_everything_is_killed()
    {
        var id = await api.StartAsync("p-ignores", new { marker = witness.Marker });
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.KillAsync(id, new { reason = "Now." }));

        var run = await api.EndAsync(id);
        var receipt = await Stops.IsGoneAsync(api, run, "killed");
        Assert.Equal("SIGKILL", run.Text("signal"));
        Assert.Equal(await TierAsync(), receipt.Text("mechanism"));
        // A kill without a grace is not a polite one: SIGTERM is left out.
        Assert.Equal(["cancel: skipped", "kill: ended", "verify: proven"], Stops.Rungs(receipt));
        Assert.Contains(run.GetProperty("processId").GetInt32(), Pids(receipt));
        await NothingLeftAsync(run);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_cancel_that_escalates_climbs_every_rung_in_order()
    {
        var id = await api.StartAsync("p-ignores", new { marker = witness.Marker }, new { ladder = Ladders.Kill });
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.CancelAsync(id, new { escalate = "kill" }));

        var run = await api.EndAsync(id);
        var receipt = await Stops.IsGoneAsync(api, run, "killed");
        Assert.Equal(
            ["cancel: no-effect", "terminate: no-effect", "kill: ended", "verify: proven"],
            Stops.Rungs(receipt)
        );
        var times = receipt.GetProperty("rungs").EnumerateArray().Select(rung => rung.GetProperty("at").GetDateTime());
        Assert.Equal(times.Order(), times);
        await NothingLeftAsync(run);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_kill_without_a_grace_does_not_ask_who_would_obey()
    {
        var id = await api.StartAsync("p-obeys", new { marker = witness.Marker });
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.KillAsync(id));

        var run = await api.EndAsync(id);
        var receipt = await Stops.IsGoneAsync(api, run, "killed");
        Assert.Equal(["cancel: skipped", "kill: ended", "verify: proven"], Stops.Rungs(receipt));
        await NothingLeftAsync(run);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_cancel_alone_uses_no_force()
    {
        var id = await api.StartAsync("p-ignores", new { marker = witness.Marker }, new { ladder = Ladders.Kill });
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(api.CancelAsync(id));
        await Poll.UntilAsync(
            async () => Stops.Rungs(await api.TerminationAsync(id)) is ["cancel: no-effect"] ? null : "not yet",
            "the cancel to have no effect"
        );
        await witness.BeatsAsync();
        Assert.Equal("running", (await api.GetRunAsync(id)).Text("state"));

        var (_, killed) = await api.KillAsync(id, wait: 30);
        Assert.Equal("gone", killed.Text("verdict"));
        await NothingLeftAsync(await api.EndAsync(id));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("p-children", 3)]
    [InlineData("p-daemon", 1)]
    public async Task A_kill_leaves_nothing_of_the_tree_alive_and_lists_it(string job, int count)
    {
        var id = await api.StartAsync(job, new { pids = witness.Pids, marker = witness.Marker });
        var started = await witness.StartedAsync(count);
        await witness.BeatsAsync();
        var worker = (await api.GetRunAsync(id)).GetProperty("processId").GetInt32();
        Assert.NotEmpty(ProcessScan.WithPids([.. started]));
        await Stops.IsTakenAsync(api.KillAsync(id));

        var run = await api.EndAsync(id);
        // Not waited for: a run that has ended is gone already.
        Assert.Empty(ProcessScan.OfRun(id, worker));
        Assert.Empty(ProcessScan.WithPids([.. started]));
        var receipt = await Stops.IsGoneAsync(api, run, "killed");
        Assert.Subset(Pids(receipt).ToHashSet(), new HashSet<int>([worker, .. started]));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_daemon_that_a_run_leaves_behind_is_removed_and_told()
    {
        var run = await api.RunAsync("p-daemon-then-exits", new { pids = witness.Pids });

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        Assert.True(run.GetProperty("leaked").GetInt32() >= 1, run.ToString());
        await NothingLeftAsync(run);
        var receipt = await api.TerminationAsync(run.Text("id"));
        Assert.Equal("gone", receipt.Text("verdict"));
        // The shell becomes the daemon, which a run may outrun.
        Assert.Contains(
            receipt.GetProperty("processes").EnumerateArray().Select(one => one.Text("command")),
            command => command is "sleep" or "sh" or "setsid"
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_foreground_thread_does_not_outlive_its_run()
    {
        var run = await api.RunAsync("p-foreground-thread", new { marker = witness.Marker });

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        await NothingLeftAsync(run);
    }

    [Theory(Timeout = 120_000)]
    [InlineData(64, 255)]
    [InlineData(64, 0)]
    [InlineData(1_000_000, 65)]
    public async Task A_worker_that_breaks_the_protocol_is_killed_and_has_failed(int bytes, int value)
    {
        var run = await api.RunAsync(
            "p-writes-channel",
            new
            {
                bytes,
                value,
                marker = witness.Marker,
            }
        );

        Assert.True(ApiClient.Is(run, "failed"), run.ToString());
        Assert.Equal("protocol", run.Text("error", "type"));
        await NothingLeftAsync(run);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_that_closes_its_channel_is_killed_all_the_same()
    {
        var id = await api.StartAsync("p-closes-channel", new { marker = witness.Marker });
        await witness.BeatsAsync();
        await api.KillAsync(id);

        var run = await api.EndAsync(id);
        Assert.Contains(run.Text("state"), new[] { "killed", "failed" });
        await NothingLeftAsync(run);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_that_ends_without_a_word_has_failed()
    {
        var run = await api.RunAsync("p-closes-channel", new { seconds = 0.2 });

        Assert.True(ApiClient.Is(run, "failed"), run.ToString());
        Assert.Equal("worker-died", run.Text("error", "type"));
        await NothingLeftAsync(run);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_sees_the_marks_of_its_run_and_nothing_else_of_the_hosts_environment()
    {
        string[] allowed =
        [
            "PATH",
            "HOME",
            "USER",
            "LOGNAME",
            "LANG",
            "LC_ALL",
            "LC_CTYPE",
            "TZ",
            "TMPDIR",
            "DOTNET_ROOT",
            "DOTNET_ROOT_X64",
            "DOTNET_ROOT_ARM64",
            "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT",
            "DOTNET_EnableDiagnostics",
            "DOTNET_gcConcurrent",
            "DOTNET_TieredPGO",
            "JOBHOST_RUN",
            "JOBHOST_INSTANCE",
            "JOBHOST_JOB",
            "JOBHOST_ATTEMPT",
            "JOBHOST_FENCE",
            "JOBHOST_ARTIFACTS",
            "TRACEPARENT",
            "TRACESTATE",
        ];
        const string secret = "ConnectionStrings__Elsewhere";
        Environment.SetEnvironmentVariable(secret, "Host=db;Password=hunter2");
        await using var server = await ServerProcess.StartAsync();
        Environment.SetEnvironmentVariable(secret, null);
        Assert.Contains(
            secret,
            await File.ReadAllTextAsync($"/proc/{server.Pid}/environ", ApiClient.Token),
            StringComparison.Ordinal
        );

        var run = await server.Api.RunAsync("p-env");

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        var names = run.GetProperty("result").EnumerateObject().Select(variable => variable.Name).ToList();
        Assert.Empty(names.Except(allowed, StringComparer.Ordinal));
        Assert.Equal(run.Text("id"), run.Text("result", "JOBHOST_RUN"));
        Assert.Equal("p-env", run.Text("result", "JOBHOST_JOB"));
        Assert.Equal("1", run.Text("result", "JOBHOST_ATTEMPT"));
        Assert.DoesNotContain("hunter2", run.ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_that_ends_can_start_no_process_any_more_on_no_thread()
    {
        Needs.Linux();
        var result = (await api.RunAsync("p-banned")).GetProperty("result");

        Assert.Equal("""{"before":true,"imposed":true,"after":false,"afterElsewhere":false}""", result.GetRawText());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_has_no_descriptor_of_the_host()
    {
        var run = await api.RunAsync("p-fds");

        var descriptors = run.GetProperty("result")
            .EnumerateArray()
            .ToDictionary(entry => entry.GetProperty("fd").GetInt32(), entry => entry.Text("target"));
        Assert.Equal("/dev/null", descriptors[0]);
        Assert.StartsWith("pipe:", descriptors[1], StringComparison.Ordinal);
        Assert.StartsWith("pipe:", descriptors[2], StringComparison.Ordinal);
        Assert.StartsWith("socket:", descriptors[3], StringComparison.Ordinal);
        // The rest is the runtime's own: no other socket, and nothing that this process, which is the host, has open.
        var hosts = Directory
            .EnumerateFileSystemEntries("/proc/self/fd")
            .Select(path => new FileInfo(path).LinkTarget)
            .Where(target => target is not null && !target.StartsWith("anon_inode:", StringComparison.Ordinal))
            .ToHashSet();
        var rest = descriptors.Where(entry => entry.Key > 3).Select(entry => entry.Value).ToList();
        Assert.DoesNotContain(rest, target => target.StartsWith("socket:", StringComparison.Ordinal));
        Assert.DoesNotContain(
            rest,
            target => hosts.Contains(target) && !target.StartsWith("/dev/", StringComparison.Ordinal) && !IsCode(target)
        );

        static bool IsCode(string target) =>
            target.EndsWith(".dll", StringComparison.Ordinal)
            || target.StartsWith("/memfd:doublemapper", StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_worker_inherits_no_ignored_signal()
    {
        // The runtime ignores SIGPIPE itself, in each of its processes.
        const ulong sigpipe = 1UL << (13 - 1);
        // The C library keeps these two for itself, and posix_spawn leaves them ignored.
        const ulong internals = (1UL << (32 - 1)) | (1UL << (33 - 1));
        await using var server = await ServerProcess.StartAsync(program: await IgnoringAsync("HUP USR1 USR2 ALRM"));

        var run = await server.Api.RunAsync("p-signals");

        Assert.Equal(sigpipe, Mask("SigIgn") & ~internals);
        Assert.Equal(0UL, Mask("SigBlk"));

        ulong Mask(string name) =>
            ulong.Parse(run.GetProperty("result").Text(name), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_host_that_was_started_with_SIGCHLD_ignored_still_knows_how_its_workers_end()
    {
        await using var server = await ServerProcess.StartAsync(program: await IgnoringAsync("CHLD"));

        Assert.True(ApiClient.Is(await server.Api.RunAsync("p-result"), "succeeded"));
        Assert.Equal("7", (await server.Api.RunAsync("p-exits", new { code = 7 })).Text("exitCode"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Output_beyond_the_limit_is_dropped_and_counted_and_the_job_does_not_wait_for_it()
    {
        const int limit = 10 * 1024 * 1024;
        var run = await api.RunAsync("p-huge-output");

        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        foreach (var stream in new[] { "stdout", "stderr" })
        {
            var kept = await api.LogAsync(run.Text("id"), $"{stream}&limit={limit + 1000}");
            Assert.InRange(kept.Length, limit, limit + 200);
            Assert.Contains("more bytes were not kept", kept[limit..], StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_has_a_folder_of_its_own_that_goes_with_its_record()
    {
        var run = await api.RunAsync("p-cwd");
        var file = run.Text("result", "file");
        Assert.Equal(run.Text("result", "workingDirectory"), run.Text("result", "currentDirectory"));
        Assert.Equal(run.Text("id"), await File.ReadAllTextAsync(file, ApiClient.Token));

        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/api/v1/runs/{run.Text("id")}");
        Assert.Equal(System.Net.HttpStatusCode.NoContent, (await api.SendAsync(request)).Status);

        Assert.False(File.Exists(file));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_kill_at_any_moment_of_a_workers_start_leaves_nothing_behind()
    {
        for (var moment = 0; moment < 20; moment++)
        {
            var id = await api.StartAsync("p-children", new { });
            await api.UntilAsync(id, run => run.Text("state") != "queued", "the run to begin");
            await Task.Delay(moment * 15, ApiClient.Token);
            await api.KillAsync(id);

            var run = await api.EndAsync(id);
            Assert.True(ApiClient.Is(run, "killed"), run.ToString());
            Assert.Empty(ProcessScan.OfRun(id));
        }
    }

    /// <summary>The test host, started with signals ignored.</summary>
    private static Task<string> IgnoringAsync(string signals) => Wrapped.TestHostAsync($"trap '' {signals}");

    private static Task NothingLeftAsync(JsonElement run) =>
        ProcessScan.NothingLeftAsync(run.Text("id"), run.GetProperty("processId").GetInt32());

    private static IEnumerable<int> Pids(JsonElement receipt) =>
        receipt.GetProperty("processes").EnumerateArray().Select(process => process.GetProperty("pid").GetInt32());
}

/// <summary>In the strongest tier that this machine allows.</summary>
public sealed class StrongestTierProcessTests(InProcessServer server)
    : ProcessTests(server),
        IClassFixture<InProcessServer>;

/// <summary>In the tier of an ordinary user.</summary>
public sealed class SweepTierProcessTests(SweepServer server) : ProcessTests(server), IClassFixture<SweepServer>;

public sealed class SweepServer() : InProcessServer(new() { ["JobHost:Kill:Tier"] = "sweep" });
