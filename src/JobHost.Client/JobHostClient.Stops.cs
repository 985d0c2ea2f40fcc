using JobHost.Client.Documents;
using JobHost.Client.Http;

namespace JobHost.Client;

public sealed partial class JobHostClient
{
    /// <summary>Asks a run to stop. When this returns, the request is on the server's disk; the receipt tells what comes of it.</summary>
    /// <param name="id">Which.</param>
    /// <param name="cancel">How; null: without force.</param>
    /// <param name="wait">How long to wait for the end.</param>
    /// <param name="cancellationToken">Gives up; it may have been asked.</param>
    public Task<Termination> CancelAsync(
        Guid id,
        CancelRun? cancel = null,
        TimeSpan? wait = null,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync(
            $"{Run(id)}/cancel",
            cancel ?? new(),
            ClientJson.Default.CancelRun,
            ClientJson.Default.Termination,
            cancellationToken,
            wait
        );

    /// <summary>Stops a run by every means that its job allows.</summary>
    /// <param name="id">Which.</param>
    /// <param name="kill">How; null: at once.</param>
    /// <param name="wait">How long to wait for the proof that it is gone.</param>
    /// <param name="cancellationToken">Gives up; it may have been asked.</param>
    public Task<Termination> KillAsync(
        Guid id,
        KillRun? kill = null,
        TimeSpan? wait = null,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync(
            $"{Run(id)}/kill",
            kill ?? new(),
            ClientJson.Default.KillRun,
            ClientJson.Default.Termination,
            cancellationToken,
            wait
        );

    /// <summary>What a cancel would do to whom. Nothing is done.</summary>
    public Task<StopPlan> PlanCancelAsync(
        Guid id,
        CancelRun? cancel = null,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync(
            $"{Run(id)}/cancel?validateOnly=true",
            cancel ?? new(),
            ClientJson.Default.CancelRun,
            ClientJson.Default.StopPlan,
            cancellationToken
        );

    /// <summary>What a kill would do to whom. Nothing is done.</summary>
    public Task<StopPlan> PlanKillAsync(Guid id, KillRun? kill = null, CancellationToken cancellationToken = default) =>
        PostAsync(
            $"{Run(id)}/kill?validateOnly=true",
            kill ?? new(),
            ClientJson.Default.KillRun,
            ClientJson.Default.StopPlan,
            cancellationToken
        );

    /// <summary>The receipt of a run's stop or end; null while nobody has asked and it has not ended.</summary>
    public Task<Termination?> FindTerminationAsync(Guid id, CancellationToken cancellationToken = default) =>
        OrNullAsync(
            GetAsync($"{Run(id)}/termination", ClientJson.Default.Termination, cancellationToken),
            "no-termination"
        );

    /// <summary>Gives back what a stuck run holds, at your own risk: its code may still run.</summary>
    public Task<Termination> ReleaseAsync(Guid id, string reason, CancellationToken cancellationToken = default) =>
        PostAsync(
            $"{Run(id)}/release",
            new ReasonBody(reason),
            ClientJson.Default.ReasonBody,
            ClientJson.Default.Termination,
            cancellationToken
        );

    /// <summary>Stops several runs. When this returns, every request is on the server's disk.</summary>
    public async Task<IReadOnlyList<TerminationResult>> StopRunsAsync(
        StopRuns stop,
        CancellationToken cancellationToken = default
    ) =>
        (
            await PostAsync(
                "terminations",
                stop,
                ClientJson.Default.StopRuns,
                ClientJson.Default.Terminations,
                cancellationToken
            )
        ).Results;

    /// <summary>Sends a signal to every process of a run.</summary>
    /// <param name="id">Which.</param>
    /// <param name="signal">A name such as <c>SIGUSR1</c>.</param>
    /// <param name="cancellationToken">Gives up; it may have been sent.</param>
    public Task<Run> SignalAsync(Guid id, string signal, CancellationToken cancellationToken = default) =>
        PostAsync(
            $"{Run(id)}/signal",
            new SignalBody(signal),
            ClientJson.Default.SignalBody,
            ClientJson.Default.Run,
            cancellationToken
        );

    /// <summary>Keeps every process of a run from running.</summary>
    /// <param name="id">Which.</param>
    /// <param name="bound">After which it is thawed by itself, at most an hour, the default.</param>
    /// <param name="cancellationToken">Gives up; it may be frozen.</param>
    public Task<Run> FreezeAsync(Guid id, TimeSpan? bound = null, CancellationToken cancellationToken = default) =>
        PostAsync(
            $"{Run(id)}/freeze",
            new FreezeBody(bound?.TotalSeconds),
            ClientJson.Default.FreezeBody,
            ClientJson.Default.Run,
            cancellationToken
        );

    /// <summary>Lets a frozen run go on.</summary>
    public Task<Run> ThawAsync(Guid id, CancellationToken cancellationToken = default) =>
        PostAsync($"{Run(id)}/thaw", ClientJson.Default.Run, cancellationToken);

    /// <summary>Where a run is now.</summary>
    public Task<Stack> GetStackAsync(Guid id, CancellationToken cancellationToken = default) =>
        GetAsync($"{Run(id)}/stack", ClientJson.Default.Stack, cancellationToken);

    /// <summary>Where a run was before it was forced; null where that was not kept.</summary>
    public Task<Stack?> FindAutopsyAsync(Guid id, CancellationToken cancellationToken = default) =>
        OrNullAsync(GetAsync($"{Run(id)}/autopsy", ClientJson.Default.Stack, cancellationToken), "no-autopsy");
}
