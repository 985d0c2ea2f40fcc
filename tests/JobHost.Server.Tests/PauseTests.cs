using System.Net;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>A paused job takes starts and begins none, until it is resumed, also after a restart.</summary>
public sealed class PauseTests
{
    [Fact(Timeout = 120_000)]
    public async Task A_paused_job_keeps_its_queue_over_a_restart_and_others_go_on()
    {
        var data = ServerProcess.NewDataDirectory();
        string waiting;
        string executing;
        await using (var first = await ServerProcess.StartAsync(data))
        {
            executing = await first.Api.StartAsync("obeys");
            await first.Api.UntilAsync(executing, "running");

            var paused = await first.Api.SubmitAsync("/api/v1/jobs/obeys/pause", new { reason = "full" });

            Assert.Equal("full", paused.Expect(200).Text("paused", "reason"));
            waiting = await first.Api.StartAsync("obeys");
            // Others that come later have begun and ended meanwhile: it would have, too.
            await first.Api.RunAsync("result");
            Assert.Equal("queued", (await first.Api.GetRunAsync(waiting)).Text("state"));
            Assert.Equal("running", (await first.Api.GetRunAsync(executing)).Text("state"));
            Assert.Equal(0, await first.TerminateAsync());
        }
        await using var second = await ServerProcess.StartAsync(data);
        await second.Api.RunAsync("result");
        Assert.Equal("queued", (await second.Api.GetRunAsync(waiting)).Text("state"));
        Assert.StartsWith(
            "anonymous",
            (await second.Api.GetAsync("/jobs/obeys", HttpStatusCode.OK)).Body.Text("paused", "by"),
            StringComparison.Ordinal
        );

        var resumed = await second.Api.SubmitAsync("/api/v1/jobs/obeys/resume", null);

        Assert.Equal("", resumed.Expect(200).Text("paused"));
        await second.Api.UntilAsync(waiting, "running");
        var (_, events) = await second.Api.GetAsync("/events?topic=job", HttpStatusCode.OK);
        Assert.Equal(
            ["job.paused", "job.resumed"],
            events.GetProperty("items").EnumerateArray().Select(one => one.Text("type"))
        );
    }

    [Fact(Timeout = 120_000)]
    public async Task A_waiting_run_of_a_paused_job_can_be_cancelled()
    {
        await using var server = new InProcessServer();
        (await server.Api.SubmitAsync("/api/v1/jobs/obeys/pause", null)).Expect(200);
        var id = await server.Api.StartAsync("obeys");

        Assert.Equal(HttpStatusCode.OK, (await server.Api.CancelAsync(id)).Status);

        Assert.Equal("cancelled", (await server.Api.GetRunAsync(id)).Text("state"));
        (await server.Api.SubmitAsync("/api/v1/jobs/none/pause", null)).ExpectProblem(404, "unknown-job");
        (await server.Api.SubmitAsync("/api/v1/jobs/none/resume", null)).ExpectProblem(404, "unknown-job");
        (
            await server.Api.SubmitAsync("/api/v1/jobs/obeys/pause", new { reason = new string('x', 1001) })
        ).ExpectProblem(422, "invalid-parameters");
    }
}
