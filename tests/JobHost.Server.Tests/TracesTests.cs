using System.Text;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>A run belongs to the trace of whoever started it, wherever and whenever its code runs.</summary>
public sealed class TracesTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string Parent = $"00-{TraceId}-b7ad6b7169203331-01";
    private const string State = "vendor=opaque,other=1";

    [Theory(Timeout = 120_000)]
    [InlineData("trace-task")]
    [InlineData("trace-thread")]
    [InlineData("trace-step")]
    [InlineData("trace-own-thread")]
    [InlineData("trace-process")]
    [InlineData("trace-process-thread")]
    [InlineData("trace-lane")]
    [InlineData("trace-lane-thread")]
    public async Task Code_finds_itself_in_the_trace_of_the_request_that_started_it(string job)
    {
        var run = await EndedAsync(server.Api, job);

        Assert.Equal(TraceId, run.Text("traceId"));
        Assert.Equal(TraceId, run.Text("result", "id"));
        Assert.Equal(State, run.Text("result", "state"));
        if (run.Text("kind") == "process")
        {
            // Nobody listens here: the caller's own span is passed on, and not one that nobody would ever see.
            Assert.Equal(Parent, run.Text("result", "parent"));
            Assert.Equal(State, run.Text("result", "parentState"));
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_start_outside_of_any_trace_begins_one_and_what_is_no_trace_is_none()
    {
        var bare = await server.Api.RunAsync("trace-task");
        var broken = (
            await server.Api.StartRunAsync("trace-task", "{}", ("traceparent", "00-nonsense"), ("Prefer", "wait=30"))
        ).Expect(200);

        foreach (var run in new[] { bare, broken })
        {
            Assert.Matches("^[0-9a-f]{32}\\z", run.Text("traceId"));
            Assert.Equal(run.Text("traceId"), run.Text("result", "id"));
        }
        Assert.NotEqual(bare.Text("traceId"), broken.Text("traceId"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_command_goes_on_in_the_trace_also_after_a_restart_of_the_server()
    {
        Needs.Linux();
        const string Command = "--JobHost:Commands:tell:";
        string[] settings = [$"{Command}File=/usr/bin/env", "--JobHost:Slots:Process=1"];
        var data = ServerProcess.NewDataDirectory();
        string id;
        await using (var first = await ServerProcess.StartAsync(data, settings: settings))
        {
            await first.Api.SubmitAsync("/api/v1/jobs/tell/pause", "{}");
            id = (await first.Api.StartRunAsync("tell", "{}", ("traceparent", Parent), ("tracestate", State)))
                .Expect(202)
                .Text("id");
            await first.KillAsync();
        }
        await using var second = await ServerProcess.StartAsync(data, settings: settings);

        await second.Api.SubmitAsync("/api/v1/jobs/tell/resume", null);

        Assert.Equal(TraceId, (await second.Api.EndAsync(id)).Text("traceId"));
        var lines = (await second.Api.LogAsync(id, "stdout")).Split('\n');
        Assert.Contains($"TRACEPARENT={Parent}", lines);
        Assert.Contains($"TRACESTATE={State}", lines);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT")]
    [InlineData("JobHost__Telemetry__Otlp__Endpoint")]
    public async Task Spans_and_metrics_arrive_at_a_collector(string variable)
    {
        await using var collector = await HttpReceiver.StartAsync();
        await using var own = await ServerProcess.StartAsync(
            new Dictionary<string, string>
            {
                [variable] = collector.Url,
                ["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment=the-test",
                ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            }
        );
        var run = await EndedAsync(own.Api, "trace-process");
        var stopped = await own.Api.StartAsync("p-ignores", more: new { ladder = Ladders.Kill });
        await own.Api.UntilAsync(stopped, "running");
        await own.Api.StopAsync(stopped);
        // The rest is sent at the end.
        Assert.Equal(0, await own.TerminateAsync());

        var spans = BodiesOf("/v1/traces");
        var metrics = BodiesOf("/v1/metrics");
        foreach (
            var expected in new[]
            {
                "jobhost.queue",
                "jobhost.run",
                "jobhost.rung",
                "p-ignores",
                "the-test",
                run.Text("id"),
            }
        )
        {
            Assert.True(Has(spans, Encoding.UTF8.GetBytes(expected)), expected);
        }
        Assert.True(Has(spans, Convert.FromHexString(TraceId)), "the caller's trace");
        Assert.True(Has(metrics, "jobhost.runs.ended"u8), "a metric");
        Assert.True(Has(metrics, "service.name"u8) && Has(metrics, "jobhost"u8), "the service's name");
        // The worker continues the span of its attempt, and not the caller's.
        var parent = run.Text("result", "parent").Split('-');
        Assert.Equal(TraceId, parent[1]);
        Assert.NotEqual(Parent.Split('-')[2], parent[2]);
        Assert.True(Has(spans, Convert.FromHexString(parent[2])), "the span that the worker continues");

        byte[] BodiesOf(string path) =>
            [.. collector.Received.Where(request => request.Path == path).SelectMany(request => request.Body)];
    }

    [Fact(Timeout = 120_000)]
    public async Task Nothing_of_the_exporter_is_loaded_where_no_collector_is_named()
    {
        Needs.Linux();
        await using var own = await ServerProcess.StartAsync(
            new Dictionary<string, string> { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "" }
        );
        await own.Api.RunAsync("trace-task");

        var loaded = await File.ReadAllTextAsync($"/proc/{own.Pid}/maps", ApiClient.Token);

        Assert.Contains("JobHost.Server.dll", loaded, StringComparison.Ordinal);
        Assert.DoesNotContain("OpenTelemetry", loaded, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_collector_that_is_no_address_is_refused()
    {
        var (exitCode, output) = await ServerProcess.RunAsync(
            arguments: ["--JobHost:Telemetry:Otlp:Endpoint", "collector:4318"]
        );

        Assert.Equal(JobHostServer.ExitConfiguration, exitCode);
        Assert.Contains("JobHost:Telemetry:Otlp:Endpoint", output, StringComparison.Ordinal);
    }

    private static async Task<JsonElement> EndedAsync(ApiClient api, string job)
    {
        var id = (await api.StartRunAsync(job, "{}", ("traceparent", Parent), ("tracestate", State)))
            .Expect(202)
            .Text("id");
        var run = await api.EndAsync(id);
        Assert.True(ApiClient.Is(run, "succeeded"), run.ToString());
        return run;
    }

    private static bool Has(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> wanted) => bytes.IndexOf(wanted) >= 0;
}
