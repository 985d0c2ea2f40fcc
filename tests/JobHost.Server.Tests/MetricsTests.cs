using System.Diagnostics.Metrics;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>What is counted and measured, as Prometheus reads it.</summary>
public sealed class MetricsTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private const string OpenMetrics = "application/openmetrics-text; version=1.0.0";

    [Fact(Timeout = 120_000)]
    public async Task Runs_stops_and_refusals_are_counted()
    {
        Needs.Linux();
        await using var own = await ServerProcess.StartAsync();
        var api = own.Api;
        for (var i = 0; i < 3; i++)
        {
            await api.RunAsync("result");
        }
        await api.RunAsync("throws");
        var killed = await api.StartAsync("p-ignores", more: new { ladder = Ladders.Kill });
        await api.UntilAsync(killed, "running");
        await api.StopAsync(killed);
        await api.RunAsync("p-opens-files");
        var leaked = (await api.RunAsync("p-daemon-then-exits")).GetProperty("leaked").GetDouble();
        (await api.StartRunAsync("none", "{}")).ExpectProblem(404);
        (await api.StartRunAsync("delegate-params", """{ "parameters": { "unknown": 1 } }""")).ExpectProblem(422);

        var seen = await ReadAsync(api);

        const string Ended = "jobhost_runs_ended_total";
        Assert.Equal(
            3,
            seen.Sum(Ended, "jobhost_job=\"result\"", "jobhost_state=\"succeeded\"", "jobhost_kind=\"task\"")
        );
        Assert.Equal(1, seen.Sum(Ended, "jobhost_job=\"throws\"", "jobhost_state=\"failed\""));
        Assert.Equal(
            1,
            seen.Sum(Ended, "jobhost_job=\"p-ignores\"", "jobhost_state=\"killed\"", "jobhost_kind=\"process\"")
        );
        Assert.Equal(3, seen.Sum("jobhost_run_duration_seconds_count", "jobhost_job=\"result\""));
        Assert.Equal(3, seen.Sum("jobhost_run_queue_duration_seconds_count", "jobhost_job=\"result\""));
        Assert.Equal(
            1,
            seen.Sum("jobhost_run_stop_duration_seconds_count", "jobhost_rung=\"kill\"", "jobhost_verdict=\"gone\"")
        );
        Assert.DoesNotContain(
            seen.Values.Keys,
            key => key.Contains("jobhost_mechanism=\"none\"", StringComparison.Ordinal)
        );
        Assert.True(leaked >= 1);
        Assert.Equal(leaked, seen.Sum("jobhost_processes_leaked_total", "jobhost_job=\"p-daemon-then-exits\""));
        Assert.Equal(1, seen.Sum("jobhost_limits_exceeded_total", "jobhost_limit=\"openFiles\""));
        Assert.Equal(1, seen.Sum("jobhost_starts_refused_total", "jobhost_reason=\"unknown-job\""));
        Assert.Equal(1, seen.Sum("jobhost_starts_refused_total", "jobhost_reason=\"invalid-parameters\""));
        Assert.True(seen.Sum("jobhost_journal_batch_size_count") > 10);
        Assert.Equal(
            seen.Sum("jobhost_journal_batch_size_count"),
            seen.Sum("jobhost_journal_commit_duration_seconds_count")
        );
        Assert.Equal("counter", seen.Types["dotnet_gc_collections_total"]);
    }

    [Fact(Timeout = 120_000)]
    public async Task What_is_now_is_shown_as_long_as_it_is()
    {
        await using var own = await ServerProcess.StartAsync();
        var api = own.Api;
        var witness = new Witness();
        var parameters = new { marker = witness.Marker, release = witness.Release };
        var stuck = await api.StartAsync("ignores", parameters, new { ladder = Ladders.Asking });
        var worker = await api.StartAsync("p-obeys");
        var waiting = await api.StartAsync("obeys", more: new { notBefore = "2031-01-01T00:00:00Z" });
        await witness.BeatsAsync();
        await api.KillAsync(stuck);
        await api.UntilAsync(stuck, "stuck");
        await api.UntilAsync(worker, run => run.Text("processId").Length > 0, "its process");

        var seen = await ReadAsync(api);

        Assert.Equal(
            (1, 1, 1, 1, 1),
            (
                seen.Sum("jobhost_runs_current", "queued"),
                seen.Sum("jobhost_runs_current", "running"),
                seen.Sum("jobhost_runs_current", "stuck"),
                seen.Sum("jobhost_runs_stuck"),
                seen.Sum("jobhost_workers")
            )
        );
        Assert.Equal("gauge", seen.Types["jobhost_runs_current"]);
        await witness.ReleaseAsync();
        await api.EndAsync(stuck);
        await api.StopAsync(worker);
        await api.StopAsync(waiting);
        seen = await ReadAsync(api);
        Assert.Equal(
            0,
            seen.Sum("jobhost_runs_current") + seen.Sum("jobhost_runs_stuck") + seen.Sum("jobhost_workers")
        );
        Assert.Equal(1, seen.Sum("jobhost_run_stop_duration_seconds_count", "jobhost_verdict=\"gone-late\""));
    }

    [Fact(Timeout = 120_000)]
    public async Task OpenMetrics_is_written_for_whoever_asks_for_it()
    {
        await server.Api.RunAsync("result");

        var plain = await server.Api.FetchAsync("/metrics");
        var open = await server.Api.FetchAsync("/metrics", ("Accept", $"{OpenMetrics},text/plain;q=0.5"));

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", plain.Header("Content-Type"));
        Assert.Equal("application/openmetrics-text; version=1.0.0; charset=utf-8", open.Header("Content-Type"));
        var seen = Exposition.Parse(open.Text, isOpenMetrics: true);
        // The family has no suffix, its samples have.
        Assert.Equal("counter", seen.Types["jobhost_runs_ended"]);
        Assert.True(seen.Sum("jobhost_runs_ended_total", "jobhost_job=\"result\"") >= 1);
        Assert.Contains("\n# UNIT jobhost_run_duration_seconds seconds\n", open.Text, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Whatever_a_label_says_the_text_stays_readable()
    {
        using var meter = new Meter("JobHost");
        var nasty = meter.CreateCounter<long>("test.nasty-name", "By", "A \\ and a\nnew line");
        nasty.Add(2, new("1.key", "a \"b\" \\ c\nd {}"), new("1_key", "the same name"), new("none", null));
        meter.CreateObservableGauge("test.odd", () => double.NaN);

        var text = (await server.Api.FetchAsync("/metrics")).Text;

        Exposition.Parse(text);
        Assert.Contains(
            """test_nasty_name_bytes_total{_1_key="a \"b\" \\ c\nd {}",none=""} 2""",
            text,
            StringComparison.Ordinal
        );
        Assert.Contains("""# HELP test_nasty_name_bytes_total A \\ and a\nnew line""", text, StringComparison.Ordinal);
        Assert.Contains("\ntest_odd NaN\n", text, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task An_instrument_has_no_more_series_than_it_may()
    {
        using var meter = new Meter("JobHost");
        var many = meter.CreateCounter<long>("test.many");
        for (var i = 0; i < 5000; i++)
        {
            many.Add(1, new KeyValuePair<string, object?>("key", i));
        }

        var seen = await ReadAsync(server.Api);

        Assert.Equal(5000, seen.Sum("test_many_total"));
        Assert.Equal(4000, seen.Sum("test_many_total", "otel_metric_overflow=\"true\""));
    }

    private static async Task<Exposition> ReadAsync(ApiClient api)
    {
        var answer = await api.FetchAsync("/metrics");
        Assert.Equal(200, answer.Status);
        return Exposition.Parse(answer.Text);
    }
}
