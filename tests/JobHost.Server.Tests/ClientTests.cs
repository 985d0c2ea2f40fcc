using System.Net;
using JobHost.Client;
using JobHost.Client.Documents;
using JobHost.Server.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Server.Tests;

/// <summary>The client library: documents, refusals, what is repeated and what is not.</summary>
public sealed class ClientTests(OwnServer server) : IClassFixture<OwnServer>
{
    private const string Job = """{ "name": "x", "kind": "hologram", "later": { "added": [1] } }""";
    private const string RunDocument =
        """{ "id": "0198c0de-0000-7000-8000-000000000001", "job": "x", "state": "teleported", "added": true }""";
    private const string Draining =
        """{ "type": "/problems/draining", "title": "The node takes no starts", "status": 503 }""";

    private static readonly JobHostClientOptions Hasty = new() { FirstRetryDelay = TimeSpan.FromMilliseconds(1) };

    private readonly JobHostClient client = new(server.Api.Client);

    private static CancellationToken Token => ApiClient.Token;

    [Fact(Timeout = 120_000)]
    public async Task A_run_is_started_waited_for_shown_repeated_listed_and_removed()
    {
        var label = $"{Guid.NewGuid():N}";
        var start = new StartRun
        {
            Labels = new Dictionary<string, string> { ["test"] = label },
            Priority = 3,
            Retry = new() { MaxAttempts = 2 },
        };

        var started = await client.StartAsync("result", start, cancellationToken: Token);
        var ended = await client.WaitAsync(started.Id, cancellationToken: Token);

        Assert.Equal((RunState.Succeeded, 3, true), (ended.State, ended.Priority, ended.IsEnded));
        Assert.Equal(label, ended.Labels["test"]);
        Assert.Equal(
            started.Id,
            Assert
                .Single(
                    (
                        await client.ListRunsAsync(
                            new()
                            {
                                Job = "result",
                                Labels = start.Labels,
                                States = [RunState.Succeeded, RunState.TimedOut],
                            },
                            cancellationToken: Token
                        )
                    ).Items
                )
                .Id
        );
        var again = await client.RetryAsync(ended.Id, Token);
        Assert.Equal(ended.Id, again.RetryOf);
        await client.WaitAsync(again.Id, cancellationToken: Token);
        var waited = await client.WaitForRunsAsync([ended.Id, again.Id], cancellationToken: Token);
        Assert.Equal((2, 0), (waited.Done.Count, waited.Pending.Count));
        await client.DeleteRunAsync(ended.Id, Token);
        var gone = await Assert.ThrowsAsync<JobHostApiException>(() =>
            client.GetRunAsync(ended.Id, cancellationToken: Token)
        );
        Assert.True(gone.Is("unknown-run"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stop_leaves_a_receipt_and_a_plan_does_nothing()
    {
        var run = await client.StartAsync("p-ignores", cancellationToken: Token);
        Assert.Null(await client.FindTerminationAsync(run.Id, Token));
        await server.Api.UntilAsync($"{run.Id}", found => found.Text("processId").Length > 0, "its process");
        var plan = await client.PlanKillAsync(run.Id, cancellationToken: Token);
        Assert.NotEmpty(plan.Processes);
        Assert.NotEmpty((await client.GetStackAsync(run.Id, Token)).Processes);
        Assert.NotNull((await client.FreezeAsync(run.Id, TimeSpan.FromMinutes(5), Token)).FrozenUntil);
        Assert.Null((await client.ThawAsync(run.Id, Token)).FrozenUntil);

        var receipt = await client.KillAsync(run.Id, new() { Reason = "enough" }, TimeSpan.FromSeconds(30), Token);

        Assert.Equal(Verdict.Gone, receipt.Verdict);
        Assert.Equal("enough", Assert.Single(receipt.Requests).Reason);
        Assert.Contains(receipt.Rungs, rung => rung.Name == JobHost.Client.Documents.Rung.Kill);
        Assert.Equal(RunState.Killed, (await client.GetRunAsync(run.Id, cancellationToken: Token)).State);
        Assert.Null(await client.FindAutopsyAsync(run.Id, Token));
        var audited = await client.ListAuditAsync(run.Id, cancellationToken: Token);
        Assert.Contains(audited.Items, entry => entry is { Action: "KillRun", Reason: "enough", Status: 200 });
    }

    [Fact(Timeout = 120_000)]
    public async Task Several_runs_are_stopped_at_once_jobs_are_paused_and_nodes_drained()
    {
        var run = await client.StartAsync("obeys", cancellationToken: Token);
        var results = await client.StopRunsAsync(
            new() { Ids = [run.Id, Guid.Empty], Mode = TerminationMode.Cancel },
            Token
        );
        Assert.Equal(
            [(run.Id, TerminationOutcome.Accepted), (Guid.Empty, TerminationOutcome.NotFound)],
            results.Select(one => (one.RunId, one.Outcome))
        );
        Assert.Equal(RunState.Cancelled, (await client.WaitAsync(run.Id, cancellationToken: Token)).State);

        Assert.Equal("a look", (await client.PauseJobAsync("result", "a look", Token)).Paused!.Reason);
        Assert.Null((await client.ResumeJobAsync("result", Token)).Paused);
        var node = Assert.Single(await client.ListNodesAsync(Token));
        Assert.Equal(NodeState.Draining, (await client.DrainNodeAsync(node.Name, "a look", Token)).State);
        Assert.Equal("draining", (await client.GetReadinessAsync(Token)).Status);
        Assert.Equal(NodeState.Ready, (await client.ResumeNodeAsync(node.Name, Token)).State);
        Assert.Empty((await client.PlanRecycleAsync(node.Name, new() { Reason = "a look" }, Token)).Collateral);
        Assert.NotEmpty(await client.ListJobsAsync(Token));
        await client.CheckLiveAsync(Token);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_refusal_tells_its_type_its_status_and_its_fields()
    {
        var unknown = await Assert.ThrowsAsync<JobHostApiException>(() =>
            client.StartAsync("no such job", cancellationToken: Token)
        );
        Assert.Equal(("/problems/unknown-job", HttpStatusCode.NotFound), (unknown.Type, unknown.Status));
        Assert.Equal("No job is called 'no such job'.", unknown.Detail);

        var invalid = await Assert.ThrowsAsync<JobHostApiException>(() =>
            client.StartAsync("result", new() { Priority = 5000 }, cancellationToken: Token)
        );
        Assert.Equal(HttpStatusCode.UnprocessableEntity, invalid.Status);
        Assert.Equal("priority", Assert.Single(invalid.Errors).Key);
        Assert.Contains("priority: The priority is -1000 to 1000.", invalid.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_start_whose_answer_was_lost_is_one_run()
    {
        await using var proxy = new CutProxy(server.Process.Address) { Budget = number => number <= 2 ? 0 : null };
        using var http = new HttpClient { BaseAddress = proxy.Address };
        var label = new Dictionary<string, string> { ["test"] = $"{Guid.NewGuid():N}" };

        var run = await new JobHostClient(http, Hasty).StartAsync(
            "result",
            new() { Labels = label },
            cancellationToken: Token
        );

        Assert.Equal(3, proxy.Connections);
        var all = await client.ListRunsAsync(new() { Labels = label }, cancellationToken: Token);
        Assert.Equal(run.Id, Assert.Single(all.Items).Id);
    }

    [Fact(Timeout = 120_000)]
    public async Task What_may_have_happened_and_would_happen_twice_is_not_repeated()
    {
        var ended = await client.WaitAsync(
            (await client.StartAsync("result", cancellationToken: Token)).Id,
            cancellationToken: Token
        );
        await using var proxy = new CutProxy(server.Process.Address) { Budget = _ => 0 };
        using var http = new HttpClient { BaseAddress = proxy.Address };

        await Assert.ThrowsAsync<HttpRequestException>(() =>
            new JobHostClient(http, Hasty).RetryAsync(ended.Id, Token)
        );

        Assert.Equal(1, proxy.Connections);
    }

    [Fact(Timeout = 120_000)]
    public async Task What_only_looks_is_repeated_so_often_and_no_more()
    {
        await using var proxy = new CutProxy(server.Process.Address) { Budget = _ => 0 };
        using var http = new HttpClient { BaseAddress = proxy.Address };

        await Assert.ThrowsAsync<HttpRequestException>(() => new JobHostClient(http, Hasty).ListJobsAsync(Token));

        Assert.Equal(1 + Hasty.MaxRetries, proxy.Connections);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_server_that_says_later_is_asked_later_under_the_same_key()
    {
        var handler = new CannedHandler(
            new(HttpStatusCode.ServiceUnavailable, Draining, RetryAfter: "0"),
            new(HttpStatusCode.Accepted, RunDocument)
        );

        await Canned(handler).StartAsync("x", cancellationToken: Token);

        var keys = handler
            .Requests.Select(request => Assert.Single(request.Headers.GetValues("Idempotency-Key")))
            .ToList();
        Assert.Equal(2, keys.Count);
        Assert.Single(keys.Distinct());
    }

    [Theory(Timeout = 120_000)]
    [InlineData("3600")]
    [InlineData("Fri, 31 Dec 2100 23:59:59 GMT")]
    public async Task A_server_that_says_much_later_is_not_asked_again(string retryAfter)
    {
        var handler = new CannedHandler(
            new CannedHandler.Reply(HttpStatusCode.ServiceUnavailable, Draining, retryAfter)
        );

        var refusal = await Assert.ThrowsAsync<JobHostApiException>(() =>
            Canned(handler).StartAsync("x", cancellationToken: Token)
        );

        Assert.True(refusal.Is("draining"));
        Assert.True(refusal.RetryAfter > TimeSpan.FromMinutes(59));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stop_that_was_answered_503_is_not_repeated()
    {
        var handler = new CannedHandler(new CannedHandler.Reply(HttpStatusCode.ServiceUnavailable, Draining, "0"));

        await Assert.ThrowsAsync<JobHostApiException>(() =>
            Canned(handler).KillAsync(Guid.NewGuid(), cancellationToken: Token)
        );

        Assert.Single(handler.Requests);
    }

    [Fact(Timeout = 120_000)]
    public async Task What_a_newer_server_adds_is_passed_over()
    {
        var client = Canned(new CannedHandler(new(HttpStatusCode.OK, RunDocument), new(HttpStatusCode.OK, Job)));

        var run = await client.GetRunAsync(Guid.NewGuid(), cancellationToken: Token);
        var job = await client.GetJobAsync("x", Token);

        Assert.Equal((RunState.Unknown, false), (run.State, run.IsEnded));
        Assert.Equal(("x", JobHost.Client.Documents.JobKind.Unknown), (job.Name, job.Kind));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("<html>bad gateway</html>")]
    [InlineData("{")]
    [InlineData("[]")]
    public async Task An_answer_that_is_no_problem_document_is_a_refusal_all_the_same(string text)
    {
        var refusal = await Assert.ThrowsAsync<JobHostApiException>(() =>
            Canned(new CannedHandler(new CannedHandler.Reply(HttpStatusCode.NotFound, text))).ListJobsAsync(Token)
        );

        Assert.Equal((HttpStatusCode.NotFound, null), (refusal.Status, refusal.Type));
        Assert.Contains("404", refusal.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_key_and_the_path_below_which_a_proxy_publishes_it_are_used()
    {
        var handler = new CannedHandler(new CannedHandler.Reply(HttpStatusCode.OK, RunDocument));
        using var http = new HttpClient(handler);
        var id = Guid.NewGuid();

        await new JobHostClient(
            http,
            new() { Address = new("https://example.org/below"), ApiKey = "jh_x" }
        ).GetRunAsync(id, TimeSpan.FromSeconds(7), Token);

        var request = Assert.Single(handler.Requests);
        Assert.Equal($"https://example.org/below/api/v1/runs/{id}", request.RequestUri!.AbsoluteUri);
        Assert.Equal("Bearer jh_x", request.Headers.Authorization!.ToString());
        Assert.Equal("wait=7", Assert.Single(request.Headers.GetValues("Prefer")));
    }

    [Fact(Timeout = 120_000)]
    public async Task It_comes_from_the_client_factory()
    {
        var services = new ServiceCollection();
        services.AddJobHostClient(options => options.Address = server.Process.Address);
        await using var provider = services.BuildServiceProvider();

        Assert.NotEmpty(await provider.GetRequiredService<JobHostClient>().ListJobsAsync(Token));
    }

    [Fact]
    public void A_client_without_an_address_is_refused()
    {
        using var http = new HttpClient();
        Assert.Throws<ArgumentException>(() => new JobHostClient(http));
    }

    private static JobHostClient Canned(CannedHandler handler) =>
        new(
            new HttpClient(handler),
            new() { Address = new("http://localhost"), FirstRetryDelay = TimeSpan.FromMilliseconds(1) }
        );
}
