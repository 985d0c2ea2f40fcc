using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Who waits, who goes first, and who is refused.</summary>
public sealed class StartQueueTests
{
    [Fact(Timeout = 120_000)]
    public async Task A_full_queue_answers_429_and_takes_starts_again_when_there_is_room()
    {
        await using var server = new InProcessServer(Commands.OneAtATime("one", queueLimit: 2));
        var api = server.Api;
        var running = await api.StartAsync("one", new { seconds = 100 });
        await api.UntilAsync(running, "running");
        var waiting = await api.StartAsync("one", new { seconds = 100 });
        await api.StartAsync("one", new { seconds = 100 });

        var refusal = await api.StartRunAsync("one", null);
        refusal.ExpectProblem(429, "queue-full");
        Assert.True(int.Parse(refusal.Header("Retry-After")!) > 0);
        Assert.Equal(3, await api.CountRunsAsync());

        Assert.Equal(System.Net.HttpStatusCode.OK, (await api.CancelAsync(waiting)).Status);
        (await api.StartRunAsync("one", null)).Expect(202);
    }

    [Fact(Timeout = 120_000)]
    public async Task Higher_priorities_go_first_and_equals_in_the_order_of_their_starts()
    {
        await using var server = new InProcessServer(Commands.OneAtATime("one"));
        var api = server.Api;
        var blocker = await api.StartAsync("one", new { seconds = 100 });
        await api.UntilAsync(blocker, "running");
        var started = new List<(int Priority, string Id)>();
        foreach (var priority in new[] { 0, 5, -7, 5, 1000, 0 })
        {
            started.Add((priority, await api.StartAsync("one", null, new { priority })));
        }

        await api.StopAsync(blocker);

        var ran = new List<JsonElement>();
        foreach (var (_, id) in started)
        {
            ran.Add(await api.EndAsync(id));
        }
        Assert.Equal(
            started.OrderByDescending(run => run.Priority).Select(run => run.Id),
            ran.OrderBy(run => run.GetProperty("startedAt").GetDateTimeOffset())
                .Select(run => run.GetProperty("id").GetString())
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_job_with_a_limit_of_one_never_runs_twice_at_once()
    {
        await using var server = new InProcessServer(Commands.OneAtATime("one"));
        var api = server.Api;
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            ids.Add(await api.StartAsync("one", new { seconds = 0.02 }));
        }

        var spans = new List<(DateTimeOffset From, DateTimeOffset To)>();
        foreach (var id in ids)
        {
            var run = await api.EndAsync(id);
            spans.Add(
                (run.GetProperty("startedAt").GetDateTimeOffset(), run.GetProperty("endedAt").GetDateTimeOffset())
            );
        }
        spans.Sort();
        Assert.All(spans.Zip(spans.Skip(1)), pair => Assert.True(pair.First.To <= pair.Second.From));
    }
}
