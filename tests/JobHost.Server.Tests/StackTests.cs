using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Where a run hangs can be seen from outside, while it hangs and, where its job keeps that, after it was killed.</summary>
public sealed class StackTests : IClassFixture<StackTests.Server>
{
    private readonly ApiClient api;
    private readonly Witness witness = new();

    public StackTests(Server server)
    {
        Needs.Linux();
        api = server.Process.Api;
    }

    [Fact(Timeout = 120_000)]
    public async Task The_threads_of_a_worker_are_shown_with_its_jobs_code()
    {
        var id = await api.StartAsync("p-ignores", new { marker = witness.Marker });
        await witness.BeatsAsync();

        var stack = (await StackAsync(id)).Expect(200);

        Assert.Equal("", stack.Text("why"));
        Assert.Contains(Frames(stack), frame => frame.Contains("ProcessIgnoresJob.Run", StringComparison.Ordinal));
        var process = Assert.Single(stack.GetProperty("processes").EnumerateArray());
        var run = await api.GetRunAsync(id);
        Assert.Equal(run.Text("processId"), process.Text("pid"));
        Assert.True(process.GetProperty("startTime").GetInt64() > 0);
        Assert.True(process.GetProperty("residentBytes").GetInt64() > 1_000_000);
        Assert.True(process.GetProperty("cpuSeconds").GetDouble() > 0);
        Assert.True(process.GetProperty("threads").GetInt32() > 1);
        Assert.Contains(
            process.GetProperty("openFiles").EnumerateArray(),
            file => file.Text("target") == witness.Marker
        );
        Assert.EndsWith($"/runs/{id}/stack", run.Text("links", "stack"), StringComparison.Ordinal);
        // Looking has changed nothing.
        await witness.BeatsAsync();
        await Stops.IsGoneAsync(api, await api.StopAsync(id), "killed");
    }

    [Fact(Timeout = 120_000)]
    public async Task The_thread_of_a_run_inside_the_host_is_shown_and_nobody_elses()
    {
        var other = await api.StartAsync("thread-sleeps");
        await api.UntilAsync(other, "running");
        var id = await api.StartAsync(
            "thread-busy-noabort",
            new { marker = witness.Marker, release = witness.Release }
        );
        await witness.BeatsAsync();

        var stack = await UntilItShowsAsync(id, "ThreadBusyNoAbortJob.Run");

        var thread = Assert.Single(stack.GetProperty("managed").EnumerateArray());
        Assert.StartsWith("thread-busy", thread.Text("name"), StringComparison.Ordinal);
        Assert.Empty(stack.GetProperty("processes").EnumerateArray());
        await witness.BeatsAsync();
        await witness.ReleaseAsync();
        await api.EndAsync(id);
        await api.StopAsync(other);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_task_is_shown_where_it_computes_and_that_it_waits_where_it_does()
    {
        var busy = await api.StartAsync("busy-task", new { marker = witness.Marker, release = witness.Release });
        await witness.BeatsAsync();
        var waiting = await api.StartAsync("obeys");
        await api.UntilAsync(waiting, "running");

        var stack = await UntilItShowsAsync(busy, "BusyTaskJob.RunAsync");

        Assert.Contains("no thread of its own", stack.Text("why"), StringComparison.Ordinal);
        stack = (await StackAsync(waiting)).Expect(200);
        Assert.Contains("no thread of its own", stack.Text("why"), StringComparison.Ordinal);
        await api.StopAsync(waiting);
        await witness.ReleaseAsync();
        await api.EndAsync(busy);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_in_a_lane_is_shown_in_the_lanes_process()
    {
        var id = await api.StartAsync("lane-busy", new { marker = witness.Marker });
        await witness.BeatsAsync();

        var stack = await UntilItShowsAsync(id, "ThreadBusyJob.Run");

        var process = (await api.GetRunAsync(id)).Text("processId");
        Assert.Equal(process, stack.GetProperty("processes")[0].Text("pid"));
        Assert.All(stack.GetProperty("managed").EnumerateArray(), thread => Assert.Equal(process, thread.Text("pid")));
        Assert.Contains("lane", stack.Text("why"), StringComparison.Ordinal);
        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_command_is_shown_as_the_kernel_sees_it_without_its_arguments()
    {
        var id = await api.StartAsync("waits", new { argument = "hunter2-in-argv" });
        await api.UntilAsync(id, run => run.Text("processId").Length > 0, "a process");
        JsonElement stack = default;
        await Poll.UntilAsync(
            async () =>
            {
                stack = (await StackAsync(id)).Expect(200);
                // It runs on the processor for a moment before it sleeps.
                return Sleep(stack) is { } process && process.Text("state") == "S" ? null : stack.ToString();
            },
            "the command to wait"
        );

        Assert.Equal(JsonValueKind.Null, stack.GetProperty("managed").ValueKind);
        Assert.Contains("command", stack.Text("why"), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", stack.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(Sleep(stack)!.Value.Text("waitsFor"));
        await Stops.IsGoneAsync(api, await api.StopAsync(id), "killed");
        Assert.Contains("sleep", Commands((await AutopsyAsync(id)).Expect(200)));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_frozen_worker_can_be_looked_at_and_stays_frozen()
    {
        var id = await api.StartAsync("p-ignores", new { marker = witness.Marker });
        await witness.BeatsAsync();
        (await api.SubmitAsync($"/api/v1/runs/{id}/freeze", null)).Expect(200);
        var length = witness.Length;

        (await StackAsync(id)).Expect(200);

        Assert.Equal(length, witness.Length);
        await Stops.IsGoneAsync(api, await api.StopAsync(id), "killed");
    }

    [Fact(Timeout = 120_000)]
    public async Task Only_what_executes_is_somewhere()
    {
        var waiting = await api.StartAsync("obeys", more: new { notBefore = "2031-01-01T00:00:00Z" });
        var ended = (await api.RunAsync("result")).Text("id");

        (await StackAsync(waiting)).ExpectProblem(409, "no-process");
        (await StackAsync(ended)).ExpectProblem(409, "run-already-ended");
        (await StackAsync("nonsense")).ExpectProblem(404, "unknown-run");
        (await AutopsyAsync(ended)).ExpectProblem(404, "no-autopsy");
        (await AutopsyAsync("nonsense")).ExpectProblem(404, "unknown-run");
        await api.StopAsync(waiting);
    }

    [Fact(Timeout = 180_000)]
    public async Task An_autopsy_keeps_where_a_process_was_when_it_was_killed()
    {
        var (id, autopsy) = await AutopsyOfAsync("p-autopsy", Ladders.Kill);

        var run = await api.GetRunAsync(id);
        await Stops.IsGoneAsync(api, run, "killed");
        Assert.Equal(run.Text("processId"), autopsy.GetProperty("processes")[0].Text("pid"));
        Assert.Contains(Frames(autopsy), frame => frame.Contains("ProcessIgnoresJob.Run", StringComparison.Ordinal));
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/api/v1/runs/{id}");
        await api.SendAsync(request);
        (await AutopsyAsync(id)).ExpectProblem(404, "unknown-run");
    }

    [Fact(Timeout = 180_000)]
    public async Task An_autopsy_keeps_where_a_thread_was_before_it_was_interrupted()
    {
        var (id, autopsy) = await AutopsyOfAsync("thread-autopsy", Ladders.Interrupt);

        await Stops.IsGoneAsync(api, await api.GetRunAsync(id), "killed");
        Assert.Contains(Frames(autopsy), frame => frame.Contains("Thread.Sleep", StringComparison.Ordinal));
    }

    [Fact(Timeout = 120_000)]
    public async Task Who_obeys_needs_no_autopsy()
    {
        var id = await api.StartAsync("p-obeys-autopsy", new { marker = witness.Marker });
        await witness.BeatsAsync();
        await api.CancelAsync(id, new { escalate = "kill" });

        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(id), "cancelled");

        Assert.Equal("", receipt.Text("autopsy"));
        (await AutopsyAsync(id)).ExpectProblem(404, "no-autopsy");
    }

    /// <summary>
    /// Force does not wait longer than its bound for the threads to be read, and says so then; on a machine that is busy with
    /// other things that may need another run.
    /// </summary>
    private async Task<(string Id, JsonElement Autopsy)> AutopsyOfAsync(string job, object ladder)
    {
        JsonElement autopsy = default;
        for (var attempt = 0; attempt < 10; attempt++)
        {
            var own = new Witness();
            var id = await api.StartAsync(job, new { marker = own.Marker }, new { ladder });
            await Poll.UntilAsync(() => own.Length > 0, "the job's code to run");
            (await AutopsyAsync(id)).ExpectProblem(404, "no-autopsy");
            await api.StopAsync(id);
            var receipt = await api.TerminationAsync(id);
            if (receipt.Text("autopsy").Length == 0)
            {
                continue;
            }
            Assert.Equal($"/api/v1/runs/{id}/autopsy", receipt.Text("autopsy"));
            autopsy = (await AutopsyAsync(id)).Expect(200);
            if (autopsy.GetProperty("managed").ValueKind == JsonValueKind.Array)
            {
                return (id, autopsy);
            }
            Assert.Contains("were not read within", autopsy.Text("why"), StringComparison.Ordinal);
        }
        Assert.Fail($"No autopsy of ten has the threads: {autopsy}");
        return default;
    }

    /// <summary>Of code that computes a look may find no more than the runtime's own, which it calls into.</summary>
    private async Task<JsonElement> UntilItShowsAsync(string id, string frame)
    {
        JsonElement stack = default;
        await Poll.UntilAsync(
            async () =>
            {
                stack = (await StackAsync(id)).Expect(200);
                return
                    stack.GetProperty("managed").ValueKind == JsonValueKind.Array
                    && Frames(stack).Any(one => one.Contains(frame, StringComparison.Ordinal))
                    ? null
                    : stack.ToString();
            },
            $"{frame} to be shown"
        );
        return stack;
    }

    private Task<Answer> StackAsync(string id) => api.FetchAsync($"/api/v1/runs/{id}/stack");

    private Task<Answer> AutopsyAsync(string id) => api.FetchAsync($"/api/v1/runs/{id}/autopsy");

    private static IEnumerable<string> Frames(JsonElement stack) =>
        stack
            .GetProperty("managed")
            .EnumerateArray()
            .SelectMany(thread => thread.GetProperty("frames").EnumerateArray())
            .Select(frame => frame.GetString()!);

    private static IEnumerable<string> Commands(JsonElement stack) =>
        stack.GetProperty("processes").EnumerateArray().Select(process => process.Text("command"));

    private static JsonElement? Sleep(JsonElement stack) =>
        stack
            .GetProperty("processes")
            .EnumerateArray()
            .Cast<JsonElement?>()
            .SingleOrDefault(process => process?.Text("command") == "sleep");

    /// <summary>A server of its own, as the process that is looked at stands still.</summary>
    public sealed class Server : IAsyncLifetime
    {
        public ServerProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() =>
            Process = await ServerProcess.StartAsync(
                Support
                    .Commands.Script("waits", "trap '' TERM; sleep 60; :")
                    .Append(new("JobHost:Commands:waits:Autopsy", "true"))
                    .ToDictionary(pair => pair.Key.Replace(":", "__", StringComparison.Ordinal), pair => pair.Value)
            );

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
