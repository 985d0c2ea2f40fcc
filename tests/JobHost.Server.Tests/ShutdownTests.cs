using System.Net;
using JobHost.Server.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace JobHost.Server.Tests;

/// <summary>SIGTERM: what is in the background is stopped, what is in the foreground may finish, what waits is kept.</summary>
public sealed class ShutdownTests
{
    public ShutdownTests() => Needs.Linux();

    [Fact(Timeout = 120_000)]
    public async Task A_shutdown_stops_the_background_lets_the_foreground_finish_and_keeps_the_queue()
    {
        var data = ServerProcess.NewDataDirectory();
        var (foreground, obeying, stubborn) = (new Witness(), new Witness(), new Witness());
        await using var server = await ServerProcess.StartAsync(data, null, "--JobHost:Slots:Thread", "1");
        var api = server.Api;
        var finishing = await api.StartAsync("foreground", Of(foreground));
        var cancelled = await api.StartAsync("obeys", new { marker = obeying.Marker });
        var killed = await api.StartAsync("p-ignores", new { marker = stubborn.Marker }, new { ladder = Ladders.Kill });
        var interrupted = await api.StartAsync("thread-sleeps", more: new { ladder = Ladders.Interrupt });
        await api.UntilAsync(interrupted, "running");
        var waiting = await api.StartAsync("thread-sleeps", new { seconds = 0.01 });
        await foreground.BeatsAsync();
        await obeying.BeatsAsync();
        await stubborn.BeatsAsync();

        await server.AskToEndAsync();

        // Everything still answers while the foreground run is waited for.
        await Poll.UntilAsync(
            async () => (await api.ReadyAsync()).Body.Text("status") is var status and not "draining" ? status : null,
            "the node to drain"
        );
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.ReadyAsync()).Status);
        var refused = await api.StartRunAsync("result", new { });
        refused.ExpectProblem(503, "draining");
        Assert.True(int.Parse(refused.Header("Retry-After")!) > 0);
        var receipt = await Stops.IsGoneAsync(api, await api.EndAsync(cancelled), "cancelled");
        Assert.Equal(
            ("shutdown", "jobhost"),
            (receipt.GetProperty("requests")[0].Text("cause"), receipt.GetProperty("requests")[0].Text("by"))
        );
        await Stops.IsGoneAsync(api, await api.EndAsync(killed), "killed");
        await Stops.IsGoneAsync(api, await api.EndAsync(interrupted), "killed");
        await foreground.BeatsAsync();
        Assert.Equal("running", (await api.GetRunAsync(finishing)).Text("state"));
        Assert.Equal("none", (await api.GetRunAsync(finishing)).Text("stop"));

        await foreground.ReleaseAsync();

        Assert.Equal(0, await server.ExitAsync());
        await ProcessScan.NothingLeftAsync(killed);
        await using var reborn = await ServerProcess.StartAsync(data);
        Assert.True(ApiClient.Is(await reborn.Api.GetRunAsync(finishing), "succeeded"));
        Assert.True(ApiClient.Is(await reborn.Api.EndAsync(waiting), "succeeded"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_foreground_run_that_does_not_finish_in_time_is_stopped()
    {
        var data = ServerProcess.NewDataDirectory();
        var witness = new Witness();
        await using var server = await ServerProcess.StartAsync(
            data,
            null,
            "--JobHost:Shutdown:ForegroundTimeout",
            "00:00:00.2",
            "--JobHost:Shutdown:Timeout",
            "00:00:03"
        );
        var id = await server.Api.StartAsync("foreground", Of(witness), new { ladder = Ladders.Asking });
        await witness.BeatsAsync();

        Assert.Equal(0, await server.TerminateAsync());

        Assert.Contains($"{id} of foreground did not leave: it is Stuck", server.Output, StringComparison.Ordinal);
        await using var reborn = await ServerProcess.StartAsync(data);
        Assert.True(ApiClient.Is(await reborn.Api.GetRunAsync(id), "lost"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_stuck_thread_does_not_hold_the_process_and_is_named()
    {
        var witness = new Witness();
        await using var server = await ServerProcess.StartAsync(settings: ["--JobHost:Shutdown:Timeout", "00:00:03"]);
        var id = await server.Api.StartAsync(
            "thread-busy-noabort",
            Of(witness),
            new { ladder = Ladders.VainInterrupt }
        );
        await witness.BeatsAsync();
        await Stops.IsTakenAsync(server.Api.KillAsync(id));
        await server.Api.UntilAsync(id, "stuck");

        Assert.Equal(0, await server.TerminateAsync());

        Assert.Contains(
            $"{id} of thread-busy-noabort did not leave: it is Stuck",
            server.Output,
            StringComparison.Ordinal
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task Somebody_who_waits_for_a_run_does_not_hold_the_shutdown()
    {
        var witness = new Witness();
        await using var server = await ServerProcess.StartAsync(settings: ["--JobHost:Shutdown:Timeout", "00:00:02"]);
        var id = await server.Api.StartAsync("ignores", Of(witness), new { ladder = Ladders.Asking });
        await witness.BeatsAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/runs/{id}");
        request.Headers.Add("Prefer", "wait=300");
        var waiting = server.Api.Client.SendAsync(request, ApiClient.Token);

        var exiting = server.TerminateAsync();

        Assert.Equal(0, await exiting.WaitAsync(TimeSpan.FromSeconds(25), ApiClient.Token));
        await Task.WhenAny(waiting);
    }

    [Fact(Timeout = 120_000)]
    public async Task Whoever_waits_or_follows_is_told_what_is_known_and_that_the_server_leaves()
    {
        await using var server = await ServerProcess.StartAsync(settings: ["--JobHost:Shutdown:Timeout", "00:00:03"]);
        var api = server.Api;
        var witness = new Witness();
        var id = await api.StartAsync("ignores", Of(witness), new { ladder = Ladders.Asking });
        await witness.BeatsAsync();
        await using var events = await SseReader.OpenAsync(api.Client, $"/runs/{id}/events");
        await using var log = await SseReader.OpenAsync(api.Client, $"/runs/{id}/logs");
        using var text = await api.Client.GetAsync(
            $"/api/v1/runs/{id}/logs?follow=true",
            HttpCompletionOption.ResponseHeadersRead,
            ApiClient.Token
        );
        var (asked, run) = (
            ("Prefer", "wait=300"),
            new
            {
                ids = new[] { id },
                mode = "all",
                timeoutSeconds = 300,
            }
        );
        var polls = new[]
        {
            WaitAsync($"/runs/{id}"),
            WaitAsync($"/runs/{id}/messages"),
            api.PostAsync("/runs/wait", run),
            api.PostAsync("/jobs/ignores/runs", new { parameters = Of(new Witness()), ladder = Ladders.Asking }, asked),
        };
        // All of them are there when the end begins: the last has its run.
        await Poll.UntilAsync(
            async () =>
            {
                var (_, runs) = await api.GetAsync("/runs?state=running&job=ignores");
                return runs.GetProperty("items").GetArrayLength() == 2 ? null : $"{runs}";
            },
            "the second run"
        );

        Assert.Equal(0, await server.TerminateAsync());

        Assert.Equal("server-leaving", (await events.RestAsync())[^1].Data.Text("reason"));
        Assert.Equal("server-leaving", (await log.RestAsync())[^1].Data.Text("reason"));
        await text.Content.ReadAsStringAsync(ApiClient.Token);
        var answers = await Task.WhenAll(polls);
        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.Accepted],
            answers.Select(answer => answer.Status)
        );
        Assert.Contains(answers[0].Body.Text("state"), new[] { "running", "stuck" });
        Assert.Empty(answers[1].Body.GetProperty("items").EnumerateArray());
        Assert.Equal(id, Assert.Single(answers[2].Body.GetProperty("pending").EnumerateArray()).Text("id"));

        Task<(HttpStatusCode Status, System.Text.Json.JsonElement Body)> WaitAsync(string path)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1{path}");
            request.Headers.Add("Prefer", "wait=300");
            return api.SendAsync(request);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_begins_while_the_shutdown_does_is_not_forgotten()
    {
        for (var round = 0; round < 2; round++)
        {
            var data = ServerProcess.NewDataDirectory();
            var ids = new List<string>();
            await using (var server = await ServerProcess.StartAsync(data))
            {
                var exiting = Task.Run(server.TerminateAsync, ApiClient.Token);
                try
                {
                    while (
                        await server.Api.PostAsync("/jobs/obeys/runs", new { }) is (HttpStatusCode.Accepted, var run)
                    )
                    {
                        ids.Add(run.Text("id"));
                    }
                }
                catch (HttpRequestException)
                {
                    // It has ended already.
                }
                // Well below the 60 s after which a shutdown gives up.
                Assert.Equal(0, await exiting.WaitAsync(TimeSpan.FromSeconds(30), ApiClient.Token));
                Assert.DoesNotContain("of obeys did not leave", server.Output, StringComparison.Ordinal);
            }
            await using var reborn = await ServerProcess.StartAsync(data);
            foreach (var id in ids)
            {
                var run = await reborn.Api.GetRunAsync(id);
                Assert.Contains(run.Text("state"), new[] { "cancelled", "queued", "running" });
            }
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_host_that_is_stopped_from_two_sides_ends_once()
    {
        await using var server = new InProcessServer();
        Assert.True(ApiClient.Is(await server.Api.RunAsync("result"), "succeeded"));
        var services = server.Services.GetServices<IHostedService>().OfType<IHostedLifecycleService>().ToList();
        Assert.NotEmpty(services);

        // The faster side disposes what the slower one still wants to end; the server's own disposal is a third one.
        foreach (var service in services)
        {
            await service.StoppingAsync(ApiClient.Token);
            await service.StoppedAsync(ApiClient.Token);
            (service as IDisposable)?.Dispose();
        }
        foreach (var service in services)
        {
            await service.StoppingAsync(ApiClient.Token);
            await service.StoppedAsync(ApiClient.Token);
        }
    }

    private static object Of(Witness witness) => new { marker = witness.Marker, release = witness.Release };
}
