using System.Diagnostics;
using System.Globalization;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The samples do what they say, in the server as users start it.</summary>
public sealed class SampleTests(SampleTests.SampleServer server) : IClassFixture<SampleTests.SampleServer>
{
    private readonly ApiClient api = server.Api;

    [Fact(Timeout = 120_000)]
    public async Task Hello_greets()
    {
        var run = await SucceedsAsync("hello", new { name = "Ada" });

        Assert.Equal("Hello, Ada!", run.Text("result", "greeting"));
        Assert.Contains("Hello, Ada!", await api.LogAsync(run.Text("id")), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Countdown_counts_down_with_progress_and_obeys()
    {
        var run = await SucceedsAsync("countdown", new { seconds = 1 });
        Assert.Equal(("100", "Lift-off"), (run.Text("progress", "percent"), run.Text("progress", "message")));

        var id = await api.StartAsync("countdown", new { seconds = 3600 });
        await api.UntilAsync(
            id,
            r => r.GetProperty("progress").ValueKind != System.Text.Json.JsonValueKind.Null,
            "progress"
        );
        await Stops.IsTakenAsync(api.CancelAsync(id));
        await Stops.IsGoneAsync(api, await api.EndAsync(id), "cancelled");
    }

    [Fact(Timeout = 120_000)]
    public async Task Primes_counts_primes_and_is_aborted()
    {
        var run = await SucceedsAsync("primes", new { limit = 100 });
        Assert.Equal("25", run.Text("result", "count"));

        var id = await api.StartAsync("primes");
        await api.UntilAsync(id, "running");
        await Stops.IsTakenAsync(api.KillAsync(id));
        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
        Assert.Equal("abort: ended", Stops.Rungs(receipt)[^1]);
    }

    [Fact(Timeout = 120_000)]
    public async Task Sleeper_sleeps_and_is_interrupted()
    {
        await SucceedsAsync("sleeper", new { seconds = 1 });

        var id = await api.StartAsync("sleeper");
        await api.UntilAsync(id, "running");
        await Stops.IsTakenAsync(api.KillAsync(id));
        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "killed");
        Assert.Equal("interrupt: ended", Stops.Rungs(receipt)[^1]);
    }

    [Fact(Timeout = 120_000)]
    public async Task Fibers_take_turns_and_are_left()
    {
        var run = await SucceedsAsync(
            "fibers",
            new
            {
                count = 100,
                steps = 10,
                pauseMilliseconds = 1,
            }
        );
        Assert.Equal(("1000", "5500"), (run.Text("result", "steps"), run.Text("result", "total")));

        var id = await api.StartAsync("fibers", new { pauseMilliseconds = 60_000 });
        await api.UntilAsync(id, "running");
        await Stops.IsTakenAsync(api.CancelAsync(id));
        await Stops.IsGoneAsync(api, await api.EndAsync(id), "cancelled");
    }

    [Fact(Timeout = 120_000)]
    public async Task Stubborn_is_killed_with_its_daemon()
    {
        Needs.Linux();
        var id = await api.StartAsync("stubborn");
        await Poll.UntilAsync(() => ProcessScan.OfRun(id).Count >= 2, "the worker and its daemon");
        await Stops.IsTakenAsync(api.CancelAsync(id, new { escalate = "kill" }));

        var run = await api.EndAsync(id);
        var receipt = await Stops.IsGoneAsync(api, run, "killed");
        Assert.Equal(
            ["cancel: no-effect", "terminate: no-effect", "kill: ended", "verify: proven"],
            Stops.Rungs(receipt)
        );
        Assert.Empty(ProcessScan.OfRun(id, run.GetProperty("processId").GetInt32()));
        Assert.True(receipt.GetProperty("processes").GetArrayLength() >= 2, receipt.ToString());
    }

    [Fact(Timeout = 120_000)]
    public async Task Flaky_fails_and_then_succeeds()
    {
        var run = await SucceedsAsync("flaky", new { failures = 1 });

        Assert.Equal("2", run.Text("result", "attempt"));
        Assert.Equal("failed", Assert.Single(run.GetProperty("attempts").EnumerateArray()).Text("outcome"));
    }

    [Fact(Timeout = 180_000)]
    public async Task Checksum_finds_what_sha256sum_finds()
    {
        const int files = 10_000;
        var sha256sum = Needs.Program("sha256sum");
        var folder = Directory.CreateDirectory(Path.Combine(Leaks.Folder, $"files-{Guid.NewGuid():N}")).FullName;
        for (var file = 0; file < files; file++)
        {
            var below = Directory.CreateDirectory(Path.Combine(folder, $"{file % 100:00} grün"));
            var name = file == 7 ? "line\nbreak \\ 7" : $"file {file}";
            await File.WriteAllTextAsync(
                Path.Combine(below.FullName, name),
                new string('x', file % 300) + file.ToString(CultureInfo.InvariantCulture),
                ApiClient.Token
            );
        }

        var run = await SucceedsAsync("checksum", new { folder });

        Assert.Equal($"{files}", run.Text("result", "files"));
        var manifest = run.Text("result", "manifest");
        Assert.Equal(files, (await File.ReadAllLinesAsync(manifest, ApiClient.Token)).Length);
        var start = new ProcessStartInfo(sha256sum, ["--check", "--strict", "--quiet", manifest])
        {
            UseShellExecute = false,
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var check = Process.Start(start)!;
        var complaints = await check.StandardOutput.ReadToEndAsync(ApiClient.Token);
        await check.WaitForExitAsync(ApiClient.Token);
        Assert.True(check.ExitCode == 0, complaints);
    }

    private async Task<System.Text.Json.JsonElement> SucceedsAsync(string job, object parameters)
    {
        var run = await api.RunAsync(job, parameters);
        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        return run;
    }

    /// <summary>The program as users start it.</summary>
    public sealed class SampleServer : IAsyncLifetime
    {
        private ServerProcess process = null!;

        public ApiClient Api => process.Api;

        public async ValueTask InitializeAsync() =>
            process = await ServerProcess.StartAsync(program: ServerProcess.Server);

        public ValueTask DisposeAsync() => process.DisposeAsync();
    }
}
