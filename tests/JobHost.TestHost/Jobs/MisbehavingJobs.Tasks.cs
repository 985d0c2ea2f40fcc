using JobHost.TestHost.Jobs.Tasks;

namespace JobHost.TestHost.Jobs;

public static partial class MisbehavingJobs
{
    private static JobsBuilder AddTasks(this JobsBuilder jobs)
    {
        jobs.Services.AddScoped<ScopeMark>().AddScoped<ScopeWitness>();
        return jobs.Add<ObeysJob>("obeys")
            .Add<IgnoresJob>("ignores")
            .Add<IgnoresJob>("foreground", options => options.Lifetime = Lifetime.Foreground)
            .Add<BusyTaskJob>("busy-task")
            .Add("throws", Endings.ThrowsAsync)
            .Add("throws-cancellation", Endings.ThrowsCancellationAsync)
            .Add("result", Returns.OrdinaryAsync)
            .Add("lets-out", LetsOut.RunAsync)
            .Add("huge-result", Returns.HugeAsync)
            .Add("cyclic-result", Returns.CyclicAsync)
            .Add("logs-much", Logs.MuchAsync)
            .Add("logs-nasty", Logs.NastyAsync)
            .Add<MeasuresJob>("measures", options => options.Retry = Impatient)
            .Add<TalksJob>("talks")
            .Add<SlowDisposeJob>("slow-dispose")
            .Add<NeedsServiceJob>("needs-service")
            .Add<TokenCallbackBlocksJob>("token-callback-blocks")
            .Add<HoldsExitJob>("holds-exit")
            .Add<ReturnsAfterCancelJob>("returns-after-cancel")
            .Add("delegate-params", DelegateParams.EchoAsync)
            .Add<FailsUntilJob>("fails-until", options => options.Retry = Impatient)
            .Add<CountsJob>("counts")
            .Add<CleansJob>("cleans", options => options.OnStopped = "obeys")
            .Add<ObeysJob>("compensated", options => options.OnStopped = "cleans")
            .Add<Conversation>("converses", options => options.Retry = Impatient)
            .Add("floods", Conversation.FloodAsync)
            .Add("leaves-talker", Conversation.LeaveTalkerAsync)
            .Add("says-too-much", Conversation.TooMuchAsync)
            .Add<OwnThreadJob>("own-thread", options => options.OwnThread = true)
            .Add<OwnThreadJob>(
                "own-thread-abort",
                options =>
                {
                    options.OwnThread = true;
                    options.AllowAbort = true;
                }
            )
            .Add<SeveralTurnsJob>("own-thread-turns", options => options.OwnThread = true);
    }

    private static RetryPolicy Impatient =>
        new()
        {
            MaxAttempts = 10,
            InitialDelay = TimeSpan.FromMilliseconds(50),
            Multiplier = 1,
            Jitter = 0,
        };
}
