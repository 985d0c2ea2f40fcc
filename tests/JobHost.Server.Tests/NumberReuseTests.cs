using System.Diagnostics;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>
/// The system gives the number of a process that has ended to another one. In a namespace of its own, where a test may choose
/// who gets which number, innocents get those of runs that ended, at once: nothing that is done to those runs may reach them.
/// </summary>
public sealed class NumberReuseTests
{
    private readonly string mark = $"{Guid.NewGuid():N}";

    public NumberReuseTests()
    {
        Needs.Linux();
        Needs.Root();
        Needs.Nothing(
            File.Exists("/proc/sys/kernel/ns_last_pid") ? null : "The kernel lets nobody choose the next number."
        );
    }

    [Fact(Timeout = 180_000)]
    public async Task Whoever_gets_the_number_of_a_run_that_ended_is_not_taken_for_it()
    {
        using var place = Process.Start(
            Needs.Program("unshare"),
            // A first process that buries whoever is left to it.
            ["--pid", "--fork", "--mount-proc", "--kill-child=KILL", "sh", "-c", "while :; do sleep 0.2; done"]
        );
        try
        {
            await Poll.UntilAsync(() => ProcessScan.Children(place.Id).Count == 1, "the namespace");
            await LiveThereAsync(ProcessScan.ChildOf(place.Id));
        }
        finally
        {
            place.Kill();
            await place.WaitForExitAsync(CancellationToken.None);
        }
    }

    private async Task LiveThereAsync(int first)
    {
        var data = ServerProcess.NewDataDirectory();
        var program = await Wrapped.TestHostAsync(
            before: $"'{Needs.Program("nsenter")}' --pid --mount --target {first} '{Needs.Program("setpriv")}' --pdeathsig KILL"
        );
        var innocents = 0;
        string lost;
        // Where its children are nobody's but this namespace's, so that their numbers can be known.
        await using (var server = await ServerProcess.StartAsync(data, program, "--JobHost:Kill:Tier=sweep"))
        {
            var (ended, numbers) = await StartAsync(server);
            await Stops.IsTakenAsync(server.Api.KillAsync(ended));
            await Stops.IsGoneAsync(server.Api, await server.Api.EndAsync(ended), "killed");
            innocents += await TakeAsync(first, numbers);

            foreach (var verb in new[] { "kill", "cancel", "freeze", "thaw" })
            {
                ApiClient.IsProblem(
                    await server.Api.PostAsync($"/runs/{ended}/{verb}", new { }),
                    409,
                    "run-already-ended"
                );
            }
            await AreUnharmedAsync(innocents);
            // Nor by the sweep after another run.
            await server.Api.RunAsync("p-daemon-then-exits");
            await AreUnharmedAsync(innocents);

            (lost, numbers) = await StartAsync(server);
            var host = ProcessScan.ChildOf(server.Pid);
            await Wrapped.SignalAsync("KILL", host, ProcessScan.KeeperOf(host));
            await ProcessScan.NothingLeftAsync(lost);
            innocents += await TakeAsync(first, numbers);
        }

        // The life before has written those numbers down.
        await using var reborn = await ServerProcess.StartAsync(data, program, "--JobHost:Kill:Tier=sweep");

        Assert.True(ApiClient.Is(await reborn.Api.GetRunAsync(lost), "lost"));
        await AreUnharmedAsync(innocents);
    }

    private static async Task<(string Id, int[] Numbers)> StartAsync(ServerProcess server)
    {
        var witness = new Witness();
        var id = await server.Api.StartAsync("p-children", new { pids = witness.Pids, marker = witness.Marker });
        await witness.StartedAsync(3);
        await witness.BeatsAsync();
        var children = await File.ReadAllLinesAsync(witness.Pids, ApiClient.Token);
        var worker = (await server.Api.GetRunAsync(id)).GetProperty("processId").GetInt32();
        return (id, [worker, .. children.Select(line => int.Parse(line.Split(' ')[0]))]);
    }

    /// <summary>Lets an innocent be born under each number.</summary>
    private async Task<int> TakeAsync(int first, int[] numbers)
    {
        foreach (var number in numbers)
        {
            await Poll.UntilAsync(
                async () =>
                    await InsideAsync(
                        first,
                        $"echo {number - 1} >/proc/sys/kernel/ns_last_pid; INNOCENT={mark} sleep 600 >/dev/null 2>&1 & "
                            + $"if [ $! = {number} ]; then echo taken; else kill -9 $!; fi"
                    ) == "taken"
                        ? null
                        : "somebody else was faster, or it is not free yet",
                $"number {number}"
            );
        }
        return numbers.Length;
    }

    private async Task AreUnharmedAsync(int count)
    {
        // Those that did not get their number are on their way out.
        await Poll.UntilAsync(() => ProcessScan.WithMark($"INNOCENT={mark}").Count <= count, "only innocents");
        var alive = ProcessScan.WithMark($"INNOCENT={mark}");
        Assert.Equal(count, alive.Count);
        Assert.All(alive, process => Assert.Contains(" S ", process, StringComparison.Ordinal));
    }

    private static Task<string> InsideAsync(int first, string script) =>
        Wrapped.RunAsync("nsenter", "--pid", "--mount", "--target", $"{first}", "sh", "-c", script);
}
