//! Statements of other programs over the network: Arrow Flight SQL, for ADBC, JDBC and ODBC drivers.
//!
//! A ticket is the statement itself, so nothing is kept between two calls. Each call sees the lake as it is at that moment, and is
//! answered by a process of its own.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_server::{FlightService, FlightServiceServer};
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::server::FlightSqlService;
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
    CommandPreparedStatementQuery, CommandStatementQuery, ProstMessageExt, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{
    Action, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse, IpcMessage, SchemaAsIpc,
    Ticket,
};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::writer::IpcWriteOptions;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout_at;
use tonic::metadata::MetadataMap;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

use crate::cluster::Cluster;
use crate::engine::{Engine, Limits};
use crate::error::Error;
use crate::location::Location;
use crate::statement_process::{Process, Statements, code};
use crate::views::VIEWS;

/// Statements that are answered at the same time. Each may take the memory of its limit; a further one waits for its turn.
const STATEMENTS: usize = 4;

/// The form of a user and a password (RFC 7617). Go's driver leaves out the padding.
const CREDENTIALS: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Batches of an answer that wait for a program to read on: enough to make the next while one is on its way, each some MB.
const BATCHES: usize = 2;

/// Catalog and schema of the views, as DataFusion names them.
const CATALOG: &str = "datafusion";
const SCHEMA: &str = "public";
const TABLE_TYPE: &str = "VIEW";

/// The word by which a program shows that it may ask.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A token; `None` for one that is shorter than 16 characters, which could be guessed.
    pub fn new(text: &str) -> Option<Self> {
        (text.len() >= 16).then(|| Self(text.to_owned()))
    }

    /// Takes the same time wherever the two differ.
    fn is(&self, said: &str) -> bool {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, self.0.as_bytes());
        let own = ring::hmac::sign(&key, self.0.as_bytes());
        ring::hmac::verify(&key, said.as_bytes(), own.as_ref()).is_ok()
    }
}

/// A lake that programs ask over the network.
#[derive(Clone)]
pub struct FlightSql {
    lake: Location,
    statements: Statements,
    token: Option<Token>,
    /// For answers, and for planning one to say its columns.
    turns: [Arc<Semaphore>; 2],
}

impl FlightSql {
    /// Answers about a lake (a folder or a URL), each statement within the limits and by a process of `program`, which is
    /// `dnscert-sql`; by a cluster if there is one, and only to those who have the token if there is one.
    pub fn new(
        program: PathBuf,
        (lake, location): (String, Location),
        limits: Limits,
        cluster: Option<Cluster>,
        token: Option<Token>,
    ) -> Self {
        Self {
            lake: location,
            statements: Statements {
                program,
                lake,
                limits,
                cluster: cluster.as_ref().map(Cluster::to_string),
            },
            token,
            turns: [(); 2].map(|()| Arc::new(Semaphore::new(STATEMENTS))),
        }
    }

    /// The statement's turn, its answer, and its columns.
    async fn answer(&self, sql: &str) -> Result<(SchemaRef, Process, OwnedSemaphorePermit), Status> {
        self.begin(sql, false).await
    }

    async fn columns(&self, sql: &str) -> Result<SchemaRef, Status> {
        Ok(self.begin(sql, true).await?.0)
    }

    async fn begin(&self, sql: &str, only_columns: bool) -> Result<(SchemaRef, Process, OwnedSemaphorePermit), Status> {
        let ended = |_| Status::unavailable("the server ends");
        let turns = &self.turns[usize::from(only_columns)];
        let turn = turns.clone().acquire_owned().await.map_err(ended)?;
        let process = self.statements.begin(sql, only_columns).await?;
        let columns = process
            .schema()
            .ok_or_else(|| Status::internal("the answer has no columns"))?;
        Ok((columns, process, turn))
    }

    fn check(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let said = metadata.get("authorization").and_then(|value| value.to_str().ok());
        let said = said.and_then(|value| value.strip_prefix("Bearer "));
        match said {
            Some(said) if token.is(said) => Ok(()),
            Some(_) => Err(Status::unauthenticated("this token is not the server's")),
            None => Err(Status::unauthenticated(
                "a token is needed: authorization: Bearer TOKEN",
            )),
        }
    }
}

/// Answers programs that come to a listening socket. Ends only with an error.
pub async fn serve(listener: TcpListener, flight: FlightSql) -> Result<(), Error> {
    tonic::transport::Server::builder()
        .add_service(FlightServiceServer::new(flight))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
        .map_err(|error| Error::Serve {
            what: "server of Flight SQL",
            source: error.into(),
        })
}

type Rows = Pin<Box<dyn Stream<Item = Result<arrow_flight::FlightData, Status>> + Send>>;

#[tonic::async_trait]
impl FlightSqlService for FlightSql {
    type FlightService = Self;

    /// A user and a password, of which the password is the token, for drivers that know no other way.
    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>>, Status> {
        let wrong = || Status::unauthenticated("the password is not the server's token");
        let said = request
            .metadata()
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let said = said.and_then(|value| value.strip_prefix("Basic ")).ok_or_else(wrong)?;
        let octets = CREDENTIALS.decode(said).map_err(|_| wrong())?;
        let text = String::from_utf8(octets).map_err(|_| wrong())?;
        let (_, password) = text.split_once(':').ok_or_else(wrong)?;
        if self.token.as_ref().is_some_and(|token| !token.is(password)) {
            return Err(wrong());
        }
        let value = format!("Bearer {password}").parse().map_err(|_| wrong())?;
        let payload = HandshakeResponse {
            protocol_version: 0,
            payload: password.to_owned().into(),
        };
        let stream: Pin<Box<dyn Stream<Item = _> + Send>> = Box::pin(stream::iter([Ok(payload)]));
        let mut response = Response::new(stream);
        response.metadata_mut().insert("authorization", value);
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.check(request.metadata())?;
        let columns = self.columns(&query.query).await?;
        let handle = TicketStatementQuery {
            statement_handle: query.query.into(),
        };
        info(&handle, &columns, request)
    }

    async fn do_get_statement(
        &self,
        asked: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.check(request.metadata())?;
        Ok(Response::new(rows(self.answer(text(&asked.statement_handle)?).await?)))
    }

    /// A prepared statement is its text: there are no parameters.
    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        self.check(request.metadata())?;
        let columns = self.columns(&query.query).await?;
        let written = |schema: &Schema| -> Result<IpcMessage, ArrowError> {
            SchemaAsIpc::new(schema, &IpcWriteOptions::default()).try_into()
        };
        let columns = written(&columns).map_err(|error| Status::internal(error.to_string()))?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: query.query.into(),
            dataset_schema: columns.0,
            parameter_schema: Default::default(),
        })
    }

    async fn do_action_close_prepared_statement(
        &self,
        _: ActionClosePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        self.check(request.metadata())
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.check(request.metadata())?;
        let columns = self.columns(text(&query.prepared_statement_handle)?).await?;
        info(&query, &columns, request)
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.check(request.metadata())?;
        Ok(Response::new(rows(
            self.answer(text(&query.prepared_statement_handle)?).await?,
        )))
    }

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.check(request.metadata())?;
        info(&query, &query.into_builder().schema(), request)
    }

    async fn do_get_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.check(request.metadata())?;
        let mut catalogs = query.into_builder();
        catalogs.append(CATALOG);
        Ok(batch(catalogs.schema(), catalogs.build()))
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.check(request.metadata())?;
        info(&query, &query.clone().into_builder().schema(), request)
    }

    async fn do_get_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.check(request.metadata())?;
        let mut schemas = query.into_builder();
        schemas.append(CATALOG, SCHEMA);
        Ok(batch(schemas.schema(), schemas.build()))
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.check(request.metadata())?;
        info(&query, &query.clone().into_builder().schema(), request)
    }

    async fn do_get_tables(
        &self,
        query: CommandGetTables,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.check(request.metadata())?;
        let engine = Engine::open_at(&self.lake, self.statements.limits, None).await;
        let engine = engine.map_err(status)?;
        let mut tables = query.into_builder();
        for view in VIEWS {
            let sql = format!("SELECT * FROM {}", view.name);
            let columns = engine.columns(&sql).await.map_err(status)?;
            tables.append(CATALOG, SCHEMA, view.name, TABLE_TYPE, &columns)?;
        }
        Ok(batch(tables.schema(), tables.build()))
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.check(request.metadata())?;
        info(&query, &query.into_builder().schema(), request)
    }

    async fn do_get_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.check(request.metadata())?;
        let mut types = query.into_builder();
        types.append(TABLE_TYPE);
        Ok(batch(types.schema(), types.build()))
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.check(request.metadata())?;
        info(&query, &query.clone().into_builder(about()?).schema(), request)
    }

    async fn do_get_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.check(request.metadata())?;
        let about = query.into_builder(about()?);
        Ok(batch(about.schema(), about.build()))
    }

    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}

/// What the server says of itself.
fn about() -> Result<&'static SqlInfoData, Status> {
    static ABOUT: LazyLock<Result<SqlInfoData, FlightError>> = LazyLock::new(|| {
        let mut about = SqlInfoDataBuilder::new();
        about.append(SqlInfo::FlightSqlServerName, "dnscert");
        about.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
        about.append(SqlInfo::FlightSqlServerReadOnly, true);
        about.build()
    });
    ABOUT.as_ref().map_err(|error| Status::internal(error.to_string()))
}

fn text(handle: &[u8]) -> Result<&str, Status> {
    std::str::from_utf8(handle).map_err(|_| Status::invalid_argument("the handle is not one of this server's"))
}

/// How the answer to a command is fetched, and what columns it has.
fn info(
    command: &impl ProstMessageExt,
    columns: &Schema,
    request: Request<FlightDescriptor>,
) -> Result<Response<FlightInfo>, Status> {
    let info = FlightInfo::new()
        .try_with_schema(columns)
        .map_err(|error| Status::internal(error.to_string()))?
        .with_endpoint(FlightEndpoint::new().with_ticket(Ticket::new(command.as_any().encode_to_vec())))
        .with_descriptor(request.into_inner());
    Ok(Response::new(info))
}

/// Its rows as they come. The turn ends with the answer's time also when the program does not read on.
fn rows((columns, mut answer, turn): (SchemaRef, Process, OwnedSemaphorePermit)) -> Rows {
    let (sender, batches) = mpsc::channel::<Result<Option<RecordBatch>, FlightError>>(BATCHES);
    tokio::spawn(async move {
        let _turn = turn;
        loop {
            let batch = tokio::select! {
                batch = answer.next() => batch,
                // the program has gone
                () = sender.closed() => return,
            };
            let is_last = !matches!(batch, Ok(Some(_)));
            let sent = sender.send(batch.map_err(FlightError::from));
            if !matches!(timeout_at(answer.deadline(), sent).await, Ok(Ok(()))) || is_last {
                return;
            }
        }
    });
    let batches = stream::unfold(Some(batches), |batches| async {
        let mut batches = batches?;
        match batches.recv().await {
            Some(Ok(None)) => None,
            Some(Ok(Some(batch))) => Some((Ok(batch), Some(batches))),
            Some(Err(error)) => Some((Err(error), None)),
            // what was read is not the whole, and must not look so
            None => Some((
                Err(Status::deadline_exceeded("the answer was not read in its time").into()),
                None,
            )),
        }
    });
    let rows = FlightDataEncoderBuilder::new().with_schema(columns).build(batches);
    rows.map_err(Status::from).boxed()
}

fn batch(columns: SchemaRef, batch: arrow_flight::error::Result<RecordBatch>) -> Response<Rows> {
    let rows = FlightDataEncoderBuilder::new()
        .with_schema(columns)
        .build(stream::iter([batch]));
    Response::new(rows.map_err(Status::from).boxed())
}

fn status(error: Error) -> Status {
    Status::new(code(&error), error.whole())
}
