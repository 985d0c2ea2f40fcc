using JobHost.Conformance.Nodes;
using JobHost.Conformance.Proof;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Trials;

/// <summary>A harmless run on the same node, which the stops of all others may not touch.</summary>
internal sealed class Neighbour
{
    private readonly TrialGround ground;
    private readonly NodeApi api;
    private readonly StartedRun run;
    private readonly Sighting process;
    private bool isHurt;

    private Neighbour(TrialGround ground, NodeApi api, StartedRun run, Sighting process)
    {
        this.ground = ground;
        this.api = api;
        this.run = run;
        this.process = process;
    }

    internal static async Task<Neighbour> StartAsync(TrialGround ground, NodeApi api, int seconds)
    {
        var victim = new Victim(VictimCatalogue.Neighbour, "", VictimCatalogue.Neighbour);
        var run =
            await ground.StartAsync(api, victim, seconds: seconds) ?? throw new SuiteException("the node died at once");
        if (await ground.ReadyAsync(run, api.EndAsync(run.Id, CancellationToken.None)) is { } problem)
        {
            throw new SuiteException($"the node cannot run a process that sleeps: {problem}");
        }
        var seen = ground.Oracle.Look(run.Token);
        return seen.Count == 1
            ? new(ground, api, run, seen[0])
            : throw new SuiteException($"a process that sleeps was seen {seen.Count} times: the suite cannot see here");
    }

    /// <summary>1 when it was hurt, and that is noticed for the first time.</summary>
    internal int TakeHurt()
    {
        var before = isHurt;
        isHurt = isHurt || !ProcessOracle.IsAlive(process);
        return isHurt && !before ? 1 : 0;
    }

    /// <summary>Ends it; returns what was wrong with it.</summary>
    internal async Task<IReadOnlyList<string>> EndAsync()
    {
        var problems = new List<string>();
        if (await api.FindAsync(run.Id) is not { } view)
        {
            // The host is gone, which is told elsewhere.
            await ground.Program.ForgetAsync(run.Token);
            return problems;
        }
        if (view.State != "running" && !isHurt)
        {
            problems.Add("the neighbour does not run any more");
        }
        await api.StopAsync(run.Id, "kill", new { reason = "The neighbour has seen enough." });
        if (await api.EndAsync(run.Id, CancellationToken.None) is not { State: "killed" or "cancelled" } && !isHurt)
        {
            problems.Add("the neighbour could not be killed");
        }
        await ground.Program.ForgetAsync(run.Token);
        return problems;
    }
}
