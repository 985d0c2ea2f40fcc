using JobHost.Cli;
using JobHost.Control;
using JobHost.Hosting;
using JobHost.Nodes;
using JobHost.Server.Api;
using JobHost.Server.Http;
using JobHost.Server.Logging;
using JobHost.Server.Logs;
using JobHost.Server.Metrics;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using JobHost.Server.Telemetry;
using JobHost.Server.Webhooks;
using JobHost.Worker.Main;

namespace JobHost.Server;

/// <summary>The whole service in one call: the verbs, the configuration, the engine, the HTTP API.</summary>
public static class JobHostServer
{
    /// <summary>What a start that was refused for its configuration exits with (<c>EX_CONFIG</c> of sysexits.h).</summary>
    public const int ExitConfiguration = 78;

    /// <summary>
    /// Runs the verb that the arguments name: <c>serve</c>, the default, <c>doctor</c>, <c>keys</c>, <c>audit verify</c>, one that
    /// asks a server, or one with which it starts itself.
    /// </summary>
    /// <param name="args">The verb, then settings such as <c>--urls http://127.0.0.1:5080</c>.</param>
    /// <param name="configureJobs">Registers the jobs. Called in the host and in every worker, there without configuration.</param>
    /// <returns>The exit code: 0, 2 for a wrong verb, 75 to be started anew, 78 for a configuration that cannot work.</returns>
    public static async Task<int> RunAsync(string[] args, Action<JobsBuilder, IConfiguration> configureJobs)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(configureJobs);
        var none = new ConfigurationBuilder().Build();
        if (await WorkerProcess.TryRunAsync(args, jobs => configureJobs(jobs, none)) is { } exitCode)
        {
            return exitCode;
        }
        try
        {
            return args switch
            {
                // First, so that what parses the others is not even loaded where the service begins.
                [] => await ServeAsync(args, configureJobs),
                [.., "--help" or "-h" or "-?"] or ["help" or "--version", ..] => await AskAsync(args),
                ["serve", .. var settings] => await ServeAsync(settings, configureJobs),
                [DoctorVerb.Name, .. var settings] => await DoctorVerb.RunAsync(settings),
                [KeysVerb.Name, .. var words] => await KeysVerb.RunAsync(words),
                [AuditVerb.Name, AuditVerb.Verify, .. var settings] => await AuditVerb.VerifyAsync(settings),
                [['-', ..], ..] => await ServeAsync(args, configureJobs),
                _ => await AskAsync(args),
            };
        }
        catch (JobConfigurationException problem)
        {
            await Console.Error.WriteLineAsync($"jobhost: {problem.Message}");
            return ExitConfiguration;
        }

        // The verbs that ask a server, and the help of all.
        Task<int> AskAsync(string[] words) =>
            JobHostCli.RunAsync(
                words is ["help", .. var rest] ? [.. rest, "--help"] : words,
                [
                    new(
                        "serve",
                        "Runs the service, as without a verb.",
                        "jobhost serve --urls http://127.0.0.1:5080 --JobHost:DataDirectory=/var/lib/jobhost",
                        settings => ServeAsync(settings, configureJobs)
                    ),
                    new(
                        DoctorVerb.Name,
                        "Tells what this machine can guarantee, and what to change.",
                        "jobhost doctor",
                        DoctorVerb.RunAsync
                    ),
                    new(
                        KeysVerb.Name,
                        "Makes, lists and revokes keys of the data directory: create, list, revoke.",
                        KeysVerb.Usage,
                        KeysVerb.RunAsync
                    ),
                    new(
                        $"{AuditVerb.Name} {AuditVerb.Verify}",
                        "Tells whether the audit of the data directory was altered.",
                        "jobhost audit verify --JobHost:DataDirectory=/var/lib/jobhost",
                        AuditVerb.VerifyAsync
                    ),
                ]
            );
    }

    private static async Task<int> ServeAsync(string[] args, Action<JobsBuilder, IConfiguration> configureJobs)
    {
        var builder = Listening.CreateBuilder(args);
        builder.AddDefaults();
        builder.AddConfigFile();
        var options = ServerOptions.Bind(builder.Configuration);
        DataFolder.Prepare(builder.Configuration);
        builder.AddServerLogging();
        var keys = Access.KeysOf(builder.Configuration, options);
        builder.ConfigureListening(options, keys.IsNeeded);
        builder.Services.AddJobHost(builder.Configuration, jobs => configureJobs(jobs, builder.Configuration));
        builder.Services.AddAccess(keys);
        builder.Services.AddJobHostApi(options);
        builder.Services.AddJobHostOpenApi();
        builder.Services.AddSingleton(_ => new MetricsCollector());
        builder.Services.AddSingleton<LogWatches>();
        builder.Services.AddSingleton(Webhook.ReadAll(builder.Configuration));
        builder.Services.AddSingleton<WebhookService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<WebhookService>());
        using var export = OtlpExport.Begin(builder.Configuration);

        await using var app = builder.Build();
        // A data directory or a catalogue that cannot work is refused here, before the host would log it with its stack.
        var registry = app.Services.GetRequiredService<JobRegistry>();
        app.Services.GetRequiredService<WebhookService>();
        // From the first run on.
        app.Services.GetRequiredService<MetricsCollector>();
        app.UseJobHostPipeline(options);
        var open = app.MapGroup("").WithGeneralRefusals();
        open.MapHealth();
        var api = app.MapGroup("")
            .WithGeneralRefusals()
            .WithMetadata(new Declarations.TaggedDocuments())
            .Needs(Role.Viewer)
            .AddEndpointFilter(QueryValues.CheckAsync)
            .AddEndpointFilter(Access.HideOthersAsync)
            .AddEndpointFilter(EntityTags.HandleAsync);
        api.MapJobs();
        api.MapRuns();
        api.MapStops();
        api.MapTerminations();
        api.MapMessages();
        api.MapArtifacts();
        api.MapProcesses();
        api.MapSchedules();
        api.MapNodes();
        api.MapLogs();
        api.MapEvents();
        api.MapAudit();
        api.MapWebhooks();
        api.MapMetrics();
        app.MapJobHostOpenApi();
        app.MapGet("/", () => Results.LocalRedirect("~/swagger/")).ExcludeFromDescription().AllowAnonymous();
        await app.RunAsync();
        return registry.Recycling is null ? 0 : NodeExit.Recycled;
    }
}
