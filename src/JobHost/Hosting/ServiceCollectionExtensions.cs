using JobHost.Clock;
using JobHost.Control;
using JobHost.Execution;
using JobHost.Execution.Lanes;
using JobHost.Execution.Limits;
using JobHost.Execution.Output;
using JobHost.Execution.Processes;
using JobHost.Execution.Stacks;
using JobHost.Jobs;
using JobHost.Nodes;
using JobHost.Storage;
using JobHost.Storage.Postgres;
using JobHost.Storage.Sqlite;
using JobHost.Worker.Bodies;
using JobHost.Worker.InProcess;
using JobHost.Worker.Native;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace JobHost.Hosting;

/// <summary>Adds the engine to an application.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>
    /// Adds JobHost: its options from the section <c>JobHost</c>, its jobs from the callback, and <see cref="JobRegistry"/>
    /// as the door to them. An application that runs process jobs calls
    /// <see cref="Worker.Main.WorkerProcess.TryRunAsync"/> first in its main method, with the same callback.
    /// </summary>
    /// <exception cref="JobConfigurationException">An option is not valid; the message says what to change.</exception>
    public static IServiceCollection AddJobHost(
        this IServiceCollection services,
        IConfiguration configuration,
        Action<JobsBuilder> configureJobs
    )
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(configureJobs);
        var options = Bind(configuration.GetSection(JobHostOptions.Section));
        var builder = new JobsBuilder(services);
        configureJobs(builder);

        services.TryAddSingleton(TimeProvider.System);
        services.AddRunScope();
        services.AddSingleton(options);
        var secrets = Secrets.Read(configuration);
        services.AddSingleton(secrets);
        services.AddSingleton(provider =>
            JobCatalog.Create(
                builder.Registrations,
                options.Commands,
                provider.GetRequiredService<IServiceProviderIsService>(),
                secrets
            )
        );
        AddNode(services, options, options.Storage == JobHostOptions.Postgres ? ConnectionString(configuration) : null);
        AddExecution(services, options);
        AddControl(services, options);
        AddClock(services, options);
        services.AddHostedService<JobHostService>();
        services.AddHostedService<RetentionService>();
        services.AddHostedService<RecycleService>();
        services.AddHostedService<ScheduleService>();
        // Draining has its own bound; the host's must not cut it short.
        services.Configure<HostOptions>(host =>
            host.ShutdownTimeout = options.Shutdown.Timeout + TimeSpan.FromSeconds(30)
        );
        return services;
    }

    private static void AddNode(IServiceCollection services, JobHostOptions options, string? connectionString)
    {
        services.AddSingleton(_ => DataDirectory.Take(options.DataDirectory, options.AllowSharedDataDirectory));
        services.AddSingleton<IRunStore>(provider =>
        {
            // Also where runs are recorded elsewhere: their files are there, and no two nodes may have the same.
            var directory = provider.GetRequiredService<DataDirectory>();
            var time = provider.GetRequiredService<TimeProvider>();
            return connectionString is null
                ? SqliteRunStore.Open(directory.Path, options.Node.Name, ProcFs.BootId(), time)
                : PostgresRunStore.Open(connectionString, directory.Mark, options.Node.Name, ProcFs.BootId(), time);
        });
        services.AddSingleton(provider => (IWebhookStore)provider.GetRequiredService<IRunStore>());
        services.AddSingleton(provider =>
        {
            var life = provider.GetRequiredService<IRunStore>().Life;
            return new NodeIdentity(options.Node.Name, life.Epoch, life.Instance)
            {
                BootId = ProcFs.BootId(),
                StartedAt = provider.GetRequiredService<TimeProvider>().GetUtcNow(),
            };
        });
        services.AddSingleton(provider => new Leftovers(
            provider.GetRequiredService<NodeIdentity>().Instance,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Leftovers>>()
        ));
    }

    private static void AddExecution(IServiceCollection services, JobHostOptions options)
    {
        services.AddSingleton(provider => new RunFolders(provider.GetRequiredService<DataDirectory>().Path));
        services.AddSingleton(provider => new ParameterFiles(
            provider.GetRequiredService<DataDirectory>().Path,
            provider.GetRequiredService<RunFolders>()
        ));
        services.AddSingleton<OutputCollector>();
        services.AddSingleton<StepScheduler>();
        services.AddProcessTiers(options);
        services.AddSingleton(provider => new LaneSetup(
            Path.Combine(provider.GetRequiredService<DataDirectory>().Path, "lanes"),
            provider.GetRequiredService<NodeIdentity>().Epoch,
            options.Lanes.IdleTimeout,
            provider.GetRequiredService<Secrets>()
        ));
        services.AddSingleton<LiveLanes>();
        services.AddSingleton(provider => new BodyExecutions(
            provider.GetRequiredService<IServiceScopeFactory>(),
            provider.GetRequiredService<StepScheduler>(),
            provider.GetRequiredService<TimeProvider>()
        ));
        foreach (var kind in (JobKind[])[JobKind.Task, JobKind.Thread, JobKind.Step])
        {
            services.AddSingleton<IExecutor>(provider => new BodyExecutor(
                kind,
                provider.GetRequiredService<BodyExecutions>(),
                provider.GetRequiredService<LiveLanes>()
            ));
        }
        services.AddSingleton(_ => new HostShield(options.Shielded));
        services.AddSingleton(provider => new RunStacks(
            OperatingSystem.IsLinux()
                ? new(
                    provider.GetRequiredService<WorkerProgram>(),
                    provider.GetRequiredService<WorkerEnvironment>(),
                    provider.GetRequiredService<HostChildren>(),
                    provider.GetRequiredService<HostShield>(),
                    provider.GetRequiredService<TimeProvider>()
                )
                : null,
            provider.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton<Autopsies>();
        services.AddSingleton(provider => new WorkerPool(
            provider.GetRequiredService<WorkerProgram>(),
            provider.GetRequiredService<WorkerEnvironment>(),
            provider.GetRequiredService<IProcessTier>(),
            options.Worker.Bounds,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<WorkerPool>>()
        ));
        services.AddSingleton<IExecutor, ProcessExecutor>();
    }

    /// <summary>What starts and kills processes, and nothing that knows of runs.</summary>
    internal static void AddProcessTiers(this IServiceCollection services, JobHostOptions options)
    {
        services.AddSingleton<NodeGuarantees>();
        services.AddSingleton(provider => new WorkerEnvironment(
            provider.GetRequiredService<NodeIdentity>().Instance,
            provider.GetRequiredService<RunFolders>()
        ));
        services.AddSingleton(_ => WorkerPrograms.Of(options.Worker));
        services.AddSingleton(provider => new HostChildren(
            options.Kill.AdoptOrphans,
            provider.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton<Keeper>();
        services.AddSingleton<TierDrill>();
        services.AddSingleton(provider =>
        {
            var node = provider.GetRequiredService<NodeIdentity>();
            return new NodeGroups(Leftovers.GroupName(node.Instance, node.Epoch), provider.GetRequiredService<Keeper>);
        });
        services.AddSingleton(provider => new LimitControllers(
            provider.GetRequiredService<NodeGroups>(),
            options.Limits.UseControllers
        ));
        services.AddSingleton(provider => new NodeTier(
            new(options.Kill.Tier == KillOptions.Auto ? null : options.Kill.Tier, options.Kill.MinimumTier),
            provider.GetRequiredService<NodeGuarantees>(),
            provider.GetRequiredService<TierDrill>(),
            provider.GetRequiredService<NodeGroups>(),
            provider.GetRequiredService<LimitControllers>(),
            provider.GetRequiredService<Keeper>,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<NodeTier>>()
        ));
        services.AddSingleton<IProcessTier>(provider => provider.GetRequiredService<NodeTier>());
    }

    private static void AddControl(IServiceCollection services, JobHostOptions options)
    {
        services.AddSingleton(
            new SlotLimits(options.Slots.Task, options.Slots.Thread, options.Slots.Step, options.Slots.Process)
        );
        services.AddSingleton<LiveRuns>();
        services.AddSingleton<NodeGauges>();
        services.AddSingleton(provider => new EventFeed(
            provider.GetRequiredService<IRunStore>(),
            provider.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton<AttemptRunner>();
        services.AddSingleton<Dispatcher>();
        services.AddSingleton(provider => new JobRegistry(
            provider.GetRequiredService<JobCatalog>(),
            provider.GetRequiredService<NodeIdentity>(),
            provider.GetRequiredService<NodeGuarantees>(),
            provider.GetRequiredService<IRunStore>(),
            provider.GetRequiredService<EventFeed>(),
            provider.GetRequiredService<LiveRuns>(),
            provider.GetRequiredService<Dispatcher>(),
            provider.GetRequiredService<RunFolders>(),
            provider.GetRequiredService<ParameterFiles>(),
            provider.GetRequiredService<WorkerPool>(),
            provider.GetRequiredService<RunStacks>(),
            provider.GetRequiredService<Autopsies>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<JobRegistry>>()
        ));
    }

    private static void AddClock(IServiceCollection services, JobHostOptions options)
    {
        services.AddSingleton(provider => (IScheduleStore)provider.GetRequiredService<IRunStore>());
        services.AddSingleton<ScheduleClock>();
        services.AddSingleton(provider => new ScheduleRegistry(
            provider.GetRequiredService<JobRegistry>(),
            provider.GetRequiredService<IScheduleStore>(),
            provider.GetRequiredService<ScheduleClock>(),
            options.Schedules.MisfireThreshold,
            options.Schedules.Max,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ScheduleRegistry>>()
        ));
    }

    /// <exception cref="JobConfigurationException">There is none.</exception>
    internal static string ConnectionString(IConfiguration configuration) =>
        configuration.GetConnectionString(JobHostOptions.Section) is { Length: > 0 } text
            ? text
            : throw new JobConfigurationException(
                "ConnectionStrings:JobHost: Storage 'postgres' needs the connection string of its database, such as 'Host=db;Database=jobhost;Username=jobhost;Password=...'."
            );

    internal static JobHostOptions Bind(IConfigurationSection section)
    {
        var options = new JobHostOptions();
        try
        {
            section.Bind(options);
            foreach (var command in section.GetSection(nameof(JobHostOptions.Commands)).GetChildren())
            {
                // A misspelt key in a command is refused: a limit that is not applied is worse than none.
                command.Bind(new CommandConfig(), binder => binder.ErrorOnUnknownConfiguration = true);
            }
        }
        catch (InvalidOperationException problem)
        {
            var detail = problem.InnerException?.Message ?? "";
            throw new JobConfigurationException($"{section.Path}: {problem.Message} {detail}".TrimEnd(), problem);
        }
        OptionsValidation.Validate(options, section.Path);
        return options;
    }
}
