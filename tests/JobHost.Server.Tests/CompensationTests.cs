using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>A job that cleans up after another is started in the moment in which that one's end by force is recorded.</summary>
public sealed class CompensationTests
{
    [Fact(Timeout = 120_000)]
    public async Task What_cleans_up_after_a_killed_run_is_told_all_of_it()
    {
        await using var server = new InProcessServer();
        var api = server.Api;
        var id = await api.StartAsync("compensated", new { seconds = 60 }, new { labels = new { team = "a" } });
        await api.UntilAsync(id, "running");

        await api.CancelAsync(id, new { reason = "wrong input" });

        var victim = await api.EndAsync(id);
        var cleaner = await api.EndAsync(victim.Text("compensatedBy"));
        Assert.Equal(id, cleaner.Text("compensates"));
        Assert.Equal("cleans", cleaner.Text("job"));
        Assert.Equal("succeeded", cleaner.Text("state"));
        Assert.Equal("a", cleaner.Text("labels", "team"));
        var told = cleaner.GetProperty("result");
        Assert.Equal((id, "compensated", "cancelled"), (told.Text("runId"), told.Text("job"), told.Text("state")));
        Assert.Equal("60", told.Text("parameters", "seconds"));
        Assert.Equal("gone", told.Text("receipt", "verdict"));
        Assert.Equal("wrong input", told.GetProperty("receipt").GetProperty("requests")[0].Text("reason"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Nothing_cleans_up_after_what_ended_by_itself_or_never_began_or_cleaned_up_itself()
    {
        await using var server = new InProcessServer();
        var api = server.Api;
        var never = await api.StartAsync("compensated", null, new { notBefore = DateTimeOffset.UtcNow.AddHours(1) });
        await api.CancelAsync(never);
        var done = await api.RunAsync("compensated", new { seconds = 0 });

        Assert.Equal("", (await api.GetRunAsync(never)).Text("compensatedBy"));
        Assert.Equal("", done.Text("compensatedBy"));
        Assert.Equal(2, await api.CountRunsAsync());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_was_lost_with_its_host_is_cleaned_up_after_by_the_next()
    {
        var data = ServerProcess.NewDataDirectory();
        string id;
        await using (var first = await ServerProcess.StartAsync(data))
        {
            id = await first.Api.StartAsync("compensated", new { seconds = 60 });
            await first.Api.UntilAsync(id, "running");
            await first.KillAsync();
        }
        await using var second = await ServerProcess.StartAsync(data);

        var victim = await second.Api.EndAsync(id);

        Assert.Equal("lost", victim.Text("state"));
        var cleaner = await second.Api.EndAsync(victim.Text("compensatedBy"));
        Assert.Equal("lost", cleaner.Text("result", "state"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_command_is_told_in_its_arguments()
    {
        Needs.Linux();
        var settings = new Dictionary<string, string>
        {
            ["JobHost:Commands:victim:File"] = "/bin/sleep",
            ["JobHost:Commands:victim:Arguments:0"] = "60",
            ["JobHost:Commands:victim:OnStopped"] = "sweeper",
            ["JobHost:Commands:sweeper:File"] = "/usr/bin/printf",
            ["JobHost:Commands:sweeper:Arguments:0"] = "%s|%s|%s",
            ["JobHost:Commands:sweeper:Arguments:1"] = "{runId}",
            ["JobHost:Commands:sweeper:Arguments:2"] = "{state}",
            ["JobHost:Commands:sweeper:Arguments:3"] = "{receipt}",
            ["JobHost:Commands:sweeper:Parameters:runId:Required"] = "true",
            ["JobHost:Commands:sweeper:Parameters:state:Required"] = "true",
            ["JobHost:Commands:sweeper:Parameters:receipt:Required"] = "true",
        };
        await using var server = new InProcessServer(settings);
        var api = server.Api;
        var id = await api.StartAsync("victim");
        await api.UntilAsync(id, "running");

        await api.KillAsync(id, new { reason = "it hangs" });

        var cleaner = (await api.EndAsync(id)).Text("compensatedBy");
        await api.EndAsync(cleaner);
        var told = (await api.LogAsync(cleaner, "stdout")).Split('|', 3);
        Assert.Equal((id, "killed"), (told[0], told[1]));
        Assert.Equal("gone", JsonElement.Parse(told[2]).Text("verdict"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("none", "there is no other job 'none'")]
    [InlineData("victim", "there is no other job 'victim'")]
    [InlineData("types", "cannot be started")]
    public async Task What_cannot_clean_up_is_refused_at_the_start(string onStopped, string problem)
    {
        var (exitCode, output) = await ServerProcess.RunAsync(
            arguments:
            [
                "--JobHost:Commands:victim:File=/bin/sleep",
                $"--JobHost:Commands:victim:OnStopped={onStopped}",
                "--JobHost:Commands:types:File=/bin/echo",
                "--JobHost:Commands:types:Arguments:0={word}",
                "--JobHost:Commands:types:Parameters:word:Required=true",
            ]
        );

        Assert.NotEqual(0, exitCode);
        Assert.Contains(problem, output, StringComparison.Ordinal);
    }
}
