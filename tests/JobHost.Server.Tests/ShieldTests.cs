using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Jobs are processes of the same user as the host, and yet cannot look into it or get hold of it.</summary>
public sealed class ShieldTests
{
    private const string Secret = "Hunter2-must-not-leak";

    [Fact(Timeout = 180_000)]
    public async Task A_job_of_the_same_user_cannot_read_the_host_and_the_host_still_reads_its_own_stacks()
    {
        Needs.Linux();
        Needs.Root();
        var user = 61_000 + Random.Shared.Next(3_000);
        await using var server = await StartOrdinaryAsync(user);
        var api = server.Api;
        var run = await api.RunAsync(
            "peeks",
            new
            {
                argument = $"cat /proc/{server.Pid}/environ; cat /proc/{server.Pid}/mem; ls -l /proc/{server.Pid}/fd; readlink /proc/{server.Pid}/exe; id -u",
            }
        );

        var output = await api.LogAsync(run.Text("id"), "stdout");
        Assert.Equal($"{user}\n", output);
        Assert.Contains("Permission denied", await api.LogAsync(run.Text("id"), "stderr"), StringComparison.Ordinal);
        // And what needs the same right is still possible, for the host.
        var thread = await api.StartAsync("thread-sleeps", new { seconds = 60 });
        await api.UntilAsync(thread, "running");
        await Poll.UntilAsync(
            async () =>
            {
                var stack = (await api.FetchAsync($"/api/v1/runs/{thread}/stack")).Text;
                return stack.Contains("ThreadSleepsJob", StringComparison.Ordinal) ? null : stack;
            },
            "the stack of a thread of the host"
        );
        run = await api.RunAsync("peeks", new { argument = $"cat /proc/{server.Pid}/environ" });
        Assert.Equal("", await api.LogAsync(run.Text("id"), "stdout"));
        await api.StopAsync(thread);
    }

    [Fact(Timeout = 120_000)]
    public async Task No_process_of_a_server_can_be_reached_by_its_diagnostics()
    {
        Needs.Linux();
        var temporary = Path.Combine(Leaks.Folder, $"diagnostics-{Guid.NewGuid():N}");
        Directory.CreateDirectory(temporary);
        await using var server = await ServerProcess.StartAsync(
            // Below the test run's folder, so that the leak check still finds its processes.
            new Dictionary<string, string> { ["TMPDIR"] = temporary }
        );
        var run = await server.Api.StartAsync("p-obeys", new { seconds = 60 });
        await server.Api.UntilAsync(run, "running");
        await server.Api.RunAsync("lane-task");

        var open = Directory
            .EnumerateFileSystemEntries(temporary)
            .Select(Path.GetFileName)
            .Where(name =>
                name!.StartsWith("dotnet-diagnostic", StringComparison.Ordinal)
                || name.StartsWith("clr-debug", StringComparison.Ordinal)
            );

        Assert.Empty(open);
        await server.Api.StopAsync(run);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_job_has_no_descriptor_but_its_own_and_cannot_answer_for_the_host()
    {
        Needs.Linux();
        await using var server = new InProcessServer(
            Commands.Script("lists", "ls /proc/self/fd | sort -n | tr '\\n' ' '; readlink /proc/self/fd/0")
        );

        var run = await server.Api.RunAsync("lists");

        // The last but one is the listing's own.
        Assert.Equal("0 1 2 3 /dev/null\n", await server.Api.LogAsync(run.Text("id"), "stdout"));
    }

    /// <summary>A server of another user than the superuser, to whom nothing is forbidden.</summary>
    private static async Task<ServerProcess> StartOrdinaryAsync(int user)
    {
        var data = Directory.CreateDirectory(ServerProcess.NewDataDirectory()).FullName;
        await Wrapped.RunAsync("chmod", "755", Leaks.Folder);
        await Wrapped.RunAsync("chown", $"{user}", data);
        return await ServerProcess.StartAsync(
            new Dictionary<string, string> { ["HOME"] = data, ["ConnectionStrings__JobHost"] = Secret },
            data,
            await Wrapped.TestHostAsync(before: $"'{Needs.Program("setpriv")}' --reuid={user} --clear-groups"),
            [
                .. Commands.Script("peeks", "eval \"$1\"").Select(pair => $"--{pair.Key}={pair.Value}"),
                // In a namespace of its own a job does not even see the host.
                "--JobHost:Kill:Tier=sweep",
            ]
        );
    }
}
